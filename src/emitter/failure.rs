//! The payload of the signal `error`: who failed, what happens to the events, and why.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use crate::ledger::{DeliveryError, DropReason};
use crate::supervise::{self, log};

/// A failure.
///
/// There are three cases: events are [lost](Self::is_loss), they are [tried again](Self::retried), or neither, for
/// example when the pipeline goes on without a plugin.
///
/// ```
/// use tracklane::{Analytics, signal};
///
/// let analytics = Analytics::builder_for("WRITE_KEY").on(signal::Error, |failure| match failure.dropped {
///     Some(reason) => eprintln!("{} events lost ({reason}): {failure}", failure.events),
///     None if failure.retried => eprintln!("not lost: {failure}"),
///     None => eprintln!("{failure}"),
/// });
/// # analytics.build()?.close_blocking(std::time::Duration::ZERO);
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The name of the plugin or destination that failed, or `tracklane`.
    pub origin: Arc<str>,
    /// A description of the failure and of what happens to the events.
    pub message: String,
    /// The number of events that it concerns.
    pub events: usize,
    /// The reason why those events are lost; `None` if they are not.
    pub dropped: Option<DropReason>,
    /// Set if those events are tried again. Then none of them is lost yet.
    pub retried: bool,
    /// The error, if there was one. A destination's is a [`DeliveryError`].
    pub error: Option<Arc<dyn Error + Send + Sync>>,
    /// Set if the origin is a destination.
    of_destination: bool,
}

impl Failure {
    /// Makes a failure of `origin` that concerns `events` events.
    pub fn new(origin: impl Into<Arc<str>>, message: impl Into<String>, events: usize) -> Self {
        let (origin, message) = (origin.into(), message.into());
        Self { origin, message, events, dropped: None, retried: false, error: None, of_destination: false }
    }

    /// Makes a failure of the destination `name` that concerns `events` events.
    pub fn of_destination(name: impl Into<Arc<str>>, message: impl Into<String>, events: usize) -> Self {
        let mut failure = Self::new(name, message, events);
        failure.of_destination = true;
        failure
    }

    /// Returns whether events are lost: they were accepted, and will not be delivered.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.dropped.is_some()
    }

    /// Returns the name of the destination, if one failed.
    #[must_use]
    pub fn destination(&self) -> Option<&str> {
        self.of_destination.then_some(&*self.origin)
    }

    /// Returns the HTTP status, if a response was the cause.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.error.as_deref()?.downcast_ref::<DeliveryError>()?.status()
    }

    /// Logs a loss as `ERROR`, anything else as `WARN`.
    pub(super) fn log(&self) {
        let Self { origin, events, message, .. } = self;
        let (destination, status) = (self.destination(), self.status().map(|status| status.as_u16()));
        match self.dropped {
            Some(reason) => log!(ERROR, %origin, destination, events, %reason, status, "{message}"),
            None => log!(WARN, %origin, destination, events, status, "{message}"),
        }
    }
}

/// The last one may be dropped in the middle of the pipeline. If its error panics then, that must not cost an event.
impl Drop for Failure {
    fn drop(&mut self) {
        if let Some(error) = self.error.take() {
            supervise::discard(error);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("origin", &self.origin)
            .field("message", &self.message)
            .field("events", &self.events)
            .field("dropped", &self.dropped)
            .field("retried", &self.retried)
            .finish_non_exhaustive()
    }
}
