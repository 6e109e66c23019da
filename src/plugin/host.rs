//! The client as a plugin's `load` sees it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Registration;
use crate::emitter::Emitter;
use crate::event::Event;
use crate::ledger::{FlushReport, Stats};
use crate::refusal::{CallError, RegisterError};

/// The client, as a plugin's `load` gets it: to listen, to report, and to send events of its own. Cheap to clone; it
/// does not keep the client alive.
#[derive(Clone)]
pub struct Host {
    emitter: Emitter,
    client: Arc<dyn Client>,
}

/// What a client does for its plugins.
pub(crate) trait Client: Send + Sync {
    fn send(&self, event: Event) -> Result<(), CallError>;
    fn register(&self, plugin: Registration) -> ClientFuture<Result<(), RegisterError>>;
    fn flush(&self, timeout: Duration) -> ClientFuture<FlushReport>;
    fn stats(&self) -> Stats;
}

pub(crate) type ClientFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Host {
    pub(crate) fn new(emitter: Emitter, client: Arc<dyn Client>) -> Self {
        Self { emitter, client }
    }

    /// Returns the emitter, where signals are emitted and subscribed to.
    #[must_use]
    pub fn emitter(&self) -> &Emitter {
        &self.emitter
    }

    /// Sends an event of the plugin's own. It passes the whole pipeline, this plugin included.
    ///
    /// # Errors
    ///
    /// If the client refuses the call, as it does any other: the error holds the event. A client that is gone is closed.
    pub fn send(&self, event: impl Into<Event>) -> Result<(), CallError> {
        self.client.send(event.into())
    }

    /// Registers another plugin or destination. It is queued at once, also if the future is dropped; the future ends
    /// when it has loaded. In `load` this must not be awaited: the other plugin loads after this one.
    ///
    /// # Errors
    ///
    /// As [`Analytics::register`](crate::Analytics::register). A client that is gone is closed.
    pub fn register<P: Into<Registration>>(
        &self,
        plugin: P,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send + 'static + use<P> {
        self.client.register(plugin.into())
    }

    /// Waits until every event that was accepted so far has its outcome, at most `timeout`; see
    /// [`Analytics::flush`](crate::Analytics::flush). Of a client that is gone the report is empty. A plugin that waits
    /// for this in the middle of an event waits for that event, too, and so until `timeout`.
    pub async fn flush(&self, timeout: Duration) -> FlushReport {
        self.client.flush(timeout).await
    }

    /// Returns the counts of the client; all are zero if it is gone.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.client.stats()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
