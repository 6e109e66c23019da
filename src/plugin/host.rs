//! The client, for a plugin's `load`.

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

/// The client, for a plugin's `load`: to listen, to report, and to send events of its own. It is cheap to clone, and
/// does not keep the client alive.
#[derive(Clone)]
pub struct Host {
    emitter: Emitter,
    client: Arc<dyn PluginClient>,
}

/// The part of a client that plugins use.
pub(crate) trait PluginClient: Send + Sync {
    fn send(&self, event: Event) -> Result<(), CallError>;
    fn register(&self, plugin: Registration) -> ClientFuture<Result<(), RegisterError>>;
    fn flush(&self, timeout: Duration) -> ClientFuture<FlushReport>;
    fn stats(&self) -> Stats;
}

pub(crate) type ClientFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Host {
    pub(crate) fn new(emitter: Emitter, client: Arc<dyn PluginClient>) -> Self {
        Self { emitter, client }
    }

    /// Returns the emitter, to emit signals and to subscribe to them.
    #[must_use]
    pub fn emitter(&self) -> &Emitter {
        &self.emitter
    }

    /// Sends an event of the plugin's own. It passes the whole pipeline, this plugin included.
    ///
    /// # Errors
    ///
    /// Returns an error if the client refuses the call. The error holds the event. A client that is gone counts as
    /// closed.
    pub fn send(&self, event: impl Into<Event>) -> Result<(), CallError> {
        self.client.send(event.into())
    }

    /// Registers another plugin or destination. The command is queued at once, also if the future is dropped. The
    /// future ends when the plugin has loaded. Do not await it in `load`: the other plugin loads after this one.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Analytics::register`](crate::Analytics::register). A client that is gone counts as
    /// closed.
    pub fn register<P: Into<Registration>>(
        &self,
        plugin: P,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send + 'static + use<P> {
        self.client.register(plugin.into())
    }

    /// Waits until every event that was accepted so far has its outcome, at most `timeout`; see
    /// [`Analytics::flush`](crate::Analytics::flush). If the client is gone, the report is empty. A plugin that waits
    /// for this while it works on an event waits for that event, too, until `timeout`.
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
