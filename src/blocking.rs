//! Every call waits for its end: for scripts and short programs that send little and want to know at once.

use std::sync::Arc;
use std::time::Duration;

use crate::analytics::Analytics;
use crate::event::Event;
use crate::ledger::{DeliveryError, Settlement};
use crate::pipeline::CallError;

/// A client whose calls block until their event is delivered or dropped. Made by [`Analytics::blocking`].
///
/// A destination that is down is tried again until the timeout of the call; with `max_retries(0)` the call fails at
/// once.
///
/// ```no_run
/// use std::time::Duration;
/// use tracklane::{Analytics, Track};
///
/// let analytics = Analytics::new("WRITE_KEY")?.blocking(Duration::from_secs(30));
/// analytics.send(Track::new("Report Printed").user_id("019mr8mf4r"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockingAnalytics {
    analytics: Analytics,
    timeout: Duration,
}

/// The error of a call that blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockingError {
    /// The call was refused.
    #[error(transparent)]
    Refused(#[from] CallError),
    /// The event was lost: no destination has it.
    #[error("the event was {}", lost(.0))]
    Lost(Settlement),
    /// The event had no outcome in time. It stays under way.
    #[error("the event had no outcome within {timeout:?}, and is still under way{}", with_cause(.last_error))]
    TimedOut {
        /// How long it was waited for.
        timeout: Duration,
        /// Why a destination did not take the last batch, if it did not.
        last_error: Option<Arc<DeliveryError>>,
    },
}

/// What became of the event, and why at the first destination that has a reason.
fn lost(end: &Settlement) -> String {
    let error = end.destinations.iter().find_map(|destination| destination.error.clone());
    format!("{}{}", end.outcome, with_cause(&error))
}

fn with_cause(error: &Option<Arc<DeliveryError>>) -> String {
    error.as_ref().map(|error| format!(": {error}")).unwrap_or_default()
}

impl BlockingAnalytics {
    pub(crate) fn new(analytics: Analytics, timeout: Duration) -> Self {
        Self { analytics, timeout }
    }

    /// Sends any of the six calls, at once and not with others in a batch, and waits for the event's end: it is
    /// delivered, or dropped because somebody [asked for it](crate::DropReason::is_deliberate).
    ///
    /// # Errors
    ///
    /// If the call is refused, the event is lost, or it has no outcome within the timeout.
    pub fn send(&self, event: impl Into<Event>) -> Result<Settlement, BlockingError> {
        let receipt = self.analytics.send_with_receipt(event)?;
        // Nothing waits for a batch to fill while a flush is under way.
        match self.analytics.flush_for(receipt, self.timeout) {
            Ok(end) if end.outcome.is_failed() => Err(BlockingError::Lost(end)),
            Ok(end) => Ok(end),
            Err(last_error) => Err(BlockingError::TimedOut { timeout: self.timeout, last_error }),
        }
    }

    /// The client itself, for everything else.
    #[must_use]
    pub fn analytics(&self) -> &Analytics {
        &self.analytics
    }
}
