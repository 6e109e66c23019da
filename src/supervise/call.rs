//! Calls plugins: a panic, an error or a hang becomes a [`Fault`]. Code that blocks its thread cannot be stopped; the
//! [watchdog](super::watchdog) reports it.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::{CatchDrop, Panicked, Watched, catch, catch_future, text};
use crate::clock::Clock;
use crate::error::BoxError;

/// The time that a transform or after plugin has for one event.
pub(crate) const EVENT_LIMIT: Duration = Duration::from_secs(1);
/// The time that a plugin has to load, to unload, or to drain, and the source middleware to let an event through.
pub(crate) const LIFECYCLE_LIMIT: Duration = Duration::from_secs(10);

/// A failure of foreign code.
#[derive(Debug)]
pub(crate) enum Fault {
    Error(CatchDrop<BoxError>),
    Panicked(String),
    TimedOut(Duration),
}

impl Fault {
    /// Returns whether the code itself is broken, rather than refusing its argument.
    pub(crate) fn is_crash(&self) -> bool {
        !matches!(self, Fault::Error(_))
    }

    pub(crate) fn error(error: impl Into<BoxError>) -> Self {
        Fault::Error(CatchDrop::new(error.into()))
    }

    pub(crate) fn into_error(self) -> Option<BoxError> {
        match self {
            Fault::Error(error) => error.into_inner(),
            Fault::Panicked(_) | Fault::TimedOut(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Error(error) => write!(f, "failed: {}", text(&**error)),
            Fault::Panicked(message) => write!(f, "panicked: {message}"),
            Fault::TimedOut(limit) => write!(f, "did not end within {limit:?}"),
        }
    }
}

/// Calls code that may panic or block, on the pipeline's thread.
pub(crate) fn call<T>(watched: &Watched, work: impl FnOnce() -> Result<T, BoxError>) -> Result<T, Fault> {
    watched.run(|| call_unwatched(work))
}

/// Calls code that may panic, on a thread that is not the pipeline's.
pub(crate) fn call_unwatched<T>(work: impl FnOnce() -> Result<T, BoxError>) -> Result<T, Fault> {
    match catch(work) {
        Ok(outcome) => outcome.map_err(Fault::error),
        Err(Panicked(message)) => Err(Fault::Panicked(message)),
    }
}

/// Makes and awaits a future that may panic, hang or block, also while it is made or dropped.
pub(crate) async fn run<T, F>(
    watched: &Watched,
    clock: &Clock,
    limit: Duration,
    make: impl FnOnce() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<T, BoxError>> + Unpin,
{
    let future = CatchDrop::new(call(watched, || Ok(make()))?);
    match clock.timeout(limit, watched.wrap(catch_future(future))).await {
        None => Err(Fault::TimedOut(limit)),
        Some(Ok(outcome)) => outcome.map_err(Fault::error),
        Some(Err(Panicked(message))) => Err(Fault::Panicked(message)),
    }
}
