//! Every call waits for its end: for scripts and short programs that send little and want to know at once.

use std::time::Duration;

use crate::analytics::Analytics;
use crate::event::Event;
use crate::ledger::Settlement;
use crate::pipeline::CallError;

/// A client whose calls block until the event is delivered or dropped. Made by [`Analytics::blocking`].
///
/// ```no_run
/// use std::time::Duration;
/// use tracklane::{Analytics, Track};
///
/// let analytics = Analytics::new("WRITE_KEY")?.blocking(Duration::from_secs(30));
/// let end = analytics.send(Track::new("Report Printed").user_id("019mr8mf4r"))?;
/// assert!(end.is_delivered());
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
    /// The event had no outcome in time. It stays under way.
    #[error("the event had no outcome within {timeout:?}; it is still under way")]
    TimedOut {
        /// How long it was waited for.
        timeout: Duration,
    },
}

impl BlockingAnalytics {
    pub(crate) fn new(analytics: Analytics, timeout: Duration) -> Self {
        Self { analytics, timeout }
    }

    /// Sends any of the six calls, at once and not with others in a batch, and waits for its end.
    ///
    /// # Errors
    ///
    /// If the call is refused, or the event has no outcome within the timeout.
    pub fn send(&self, event: impl Into<Event>) -> Result<Settlement, BlockingError> {
        let receipt = self.analytics.deliver(event)?;
        // Nothing waits for a batch to fill while a flush is under way.
        self.analytics.flush_blocking(self.timeout);
        receipt.now().ok_or(BlockingError::TimedOut { timeout: self.timeout })
    }

    /// The client itself, for everything else.
    #[must_use]
    pub fn analytics(&self) -> &Analytics {
        &self.analytics
    }
}
