//! What a plugin gets to know of the client that it is registered with.

use std::fmt;
use std::sync::Arc;

use crate::emitter::Emitter;
use crate::error::BoxError;
use crate::event::Event;

type Sender = dyn Fn(Event) -> Result<(), BoxError> + Send + Sync;

/// The client, as a plugin's `load` gets it: to listen, to report, and to send events of its own. Cheap to clone; it
/// does not keep the client alive.
#[derive(Clone)]
pub struct Host {
    emitter: Emitter,
    send: Arc<Sender>,
}

impl Host {
    pub(crate) fn new(emitter: Emitter, send: Arc<Sender>) -> Self {
        Self { emitter, send }
    }

    /// Where signals are emitted and subscribed to.
    #[must_use]
    pub fn emitter(&self) -> &Emitter {
        &self.emitter
    }

    /// Sends an event of the plugin's own. It passes the whole pipeline, this plugin included.
    ///
    /// # Errors
    ///
    /// What the same call on the client returns; an error also if the client is gone.
    pub fn send(&self, event: impl Into<Event>) -> Result<(), BoxError> {
        (self.send)(event.into())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
