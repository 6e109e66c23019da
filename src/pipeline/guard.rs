//! Around one call of user code: its panics, errors and hangs stay here, and are called by its name. What blocks its
//! thread cannot be stopped; the [watchdog](super::watchdog) sees it.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::watchdog::Watched;
use crate::clock::Clock;
use crate::contained::{self, Contained, Panicked};
use crate::error::BoxError;

/// How long a transform or after plugin may work on one event.
pub(super) const EVENT_LIMIT: Duration = Duration::from_secs(1);
/// How long a plugin may take to load, to unload, or to drain.
pub(super) const LIFECYCLE_LIMIT: Duration = Duration::from_secs(10);

/// What went wrong in user code.
#[derive(Debug)]
pub(super) enum Mishap {
    Error(Contained<BoxError>),
    Panicked(String),
    TimedOut(Duration),
}

impl Mishap {
    /// Whether the code itself is broken, rather than refusing what it was given.
    pub(super) fn is_breakdown(&self) -> bool {
        !matches!(self, Mishap::Error(_))
    }

    pub(super) fn error(error: impl Into<BoxError>) -> Self {
        Mishap::Error(Contained::new(error.into()))
    }

    pub(super) fn into_error(self) -> Option<BoxError> {
        match self {
            Mishap::Error(error) => error.into_inner(),
            Mishap::Panicked(_) | Mishap::TimedOut(_) => None,
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mishap::Error(error) => write!(f, "failed: {}", contained::text(&**error)),
            Mishap::Panicked(message) => write!(f, "panicked: {message}"),
            Mishap::TimedOut(limit) => write!(f, "did not end within {limit:?}"),
        }
    }
}

/// Calls what may panic or block.
pub(super) fn call<T>(watched: &Watched, work: impl FnOnce() -> Result<T, BoxError>) -> Result<T, Mishap> {
    watched.during(|| contain(work))
}

/// Calls what may panic, on a thread that is not the pipeline's.
pub(super) fn contain<T>(work: impl FnOnce() -> Result<T, BoxError>) -> Result<T, Mishap> {
    match contained::call(work) {
        Ok(outcome) => outcome.map_err(Mishap::error),
        Err(Panicked(message)) => Err(Mishap::Panicked(message)),
    }
}

/// Makes and awaits a future that may panic, hang or block, in the making and in its drop, too.
pub(super) async fn run<T, F>(
    watched: &Watched,
    clock: &Clock,
    limit: Duration,
    make: impl FnOnce() -> F,
) -> Result<T, Mishap>
where
    F: Future<Output = Result<T, BoxError>> + Unpin,
{
    let future = Contained::new(call(watched, || Ok(make()))?);
    match clock.timeout(limit, watched.over(AssertUnwindSafe(future).catch_unwind())).await {
        None => Err(Mishap::TimedOut(limit)),
        Some(Ok(outcome)) => outcome.map_err(Mishap::error),
        Some(Err(thrown)) => Err(Mishap::Panicked(Panicked::new(thrown).0)),
    }
}
