//! Blocking calls, for scripts and short programs: each waits for the outcome of its event.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::analytics::Analytics;
use crate::event::{Alias, Event, Group, Identify, Page, Screen, Track};
use crate::ledger::{DeliveryError, Settlement};
use crate::refusal::CallError;

/// A client whose calls block until their event is delivered or dropped. [`Analytics::blocking`] makes it.
///
/// While a destination is down, the batch is tried again until the timeout of the call. With `max_retries(0)` the call
/// fails after one attempt.
///
/// ```no_run
/// use std::time::Duration;
/// use tracklane::{Analytics, Track};
///
/// let analytics = Analytics::new("WRITE_KEY")?.blocking(Duration::from_secs(30));
/// let end = analytics.track(Track::new("Report Printed").user_id("019mr8mf4r"))?;
/// assert!(end.is_delivered());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockingAnalytics {
    analytics: Analytics,
    timeout: Duration,
}

/// The error of a blocking call. `{:#}` displays it with its causes in one line.
///
/// Non-exhaustive, because another reason may be added.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockingError {
    /// The call was refused.
    Refused(CallError),
    /// The event was lost: no destination took it.
    Lost(Settlement),
    /// The event had no outcome in time. It stays under way.
    TimedOut {
        /// The timeout.
        timeout: Duration,
        /// The error of the last attempt, if it failed.
        last_error: Option<Arc<DeliveryError>>,
    },
}

impl BlockingError {
    /// Returns the first error of a destination that did not take the event.
    fn cause(&self) -> Option<&DeliveryError> {
        match self {
            BlockingError::Refused(_) => None,
            BlockingError::Lost(end) => end.destinations.iter().find_map(|end| end.error.as_deref()),
            BlockingError::TimedOut { last_error, .. } => last_error.as_deref(),
        }
    }
}

impl fmt::Display for BlockingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BlockingError::Refused(refused) => refused.fmt(f),
            BlockingError::Lost(end) => write!(f, "the event was {}", end.outcome),
            BlockingError::TimedOut { timeout, .. } => {
                write!(f, "the event had no outcome within {timeout:?}, and is still under way")
            }
        }?;
        match self.cause() {
            Some(cause) if f.alternate() => write!(f, ": {cause:#}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for BlockingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BlockingError::Refused(refused) => refused.source(),
            _ => self.cause().map(|cause| cause as _),
        }
    }
}

impl From<CallError> for BlockingError {
    fn from(refused: CallError) -> Self {
        BlockingError::Refused(refused)
    }
}

impl Analytics {
    /// Returns this client with calls that block until the event is delivered or dropped, each at most `timeout`.
    #[must_use]
    pub fn blocking(&self, timeout: Duration) -> BlockingAnalytics {
        BlockingAnalytics { analytics: self.clone(), timeout }
    }
}

impl BlockingAnalytics {
    /// Records what a user did, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn track(&self, event: Track) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Records who a user is, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn identify(&self, event: Identify) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Records that a page was viewed, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn page(&self, event: Page) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Records that a screen was viewed, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn screen(&self, event: Screen) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Records which group a user belongs to, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn group(&self, event: Group) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Records that two ids are one user, and waits for the event's outcome like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn alias(&self, event: Alias) -> Result<Settlement, BlockingError> {
        self.send(event)
    }

    /// Sends any of the six calls at once, without waiting for a batch to fill, and waits for the event's outcome. An
    /// event that was dropped [on purpose](crate::DropReason::is_deliberate) is `Ok`, too.
    ///
    /// # Errors
    ///
    /// Returns an error if the call is refused, the event is lost, or it has no outcome within the timeout.
    pub fn send(&self, event: impl Into<Event>) -> Result<Settlement, BlockingError> {
        let receipt = self.analytics.send_with_receipt(event)?;
        // While a flush is under way, no event waits for its batch to fill.
        match self.analytics.flush_for(receipt, self.timeout) {
            Ok(end) if end.outcome.is_failed() => Err(BlockingError::Lost(end)),
            Ok(end) => Ok(end),
            Err(last_error) => Err(BlockingError::TimedOut { timeout: self.timeout, last_error }),
        }
    }

    /// Returns the client itself, for everything else.
    #[must_use]
    pub fn analytics(&self) -> &Analytics {
        &self.analytics
    }
}
