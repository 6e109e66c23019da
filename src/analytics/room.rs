//! Calls that wait for room in the queue, for callers with more events than it holds.

use std::pin::pin;
use std::time::Duration;

use super::Analytics;
use crate::event::Event;
use crate::pipeline::deadline;
use crate::refusal::CallError;
use crate::threads;

impl Analytics {
    /// Like [`send`](Self::send), but waits for room if the queue is full. Needs no particular runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be sent, or the client is closed. The error holds the event.
    pub async fn send_when_ready(&self, event: impl Into<Event> + Send) -> Result<(), CallError> {
        self.handle.client.intake.push_when_room(event.into(), None).await
    }

    /// Like [`send_when_ready`](Self::send_when_ready), for code that is not async. Blocks the thread, at most
    /// `timeout`.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use tracklane::{Analytics, Track};
    /// # let analytics = Analytics::new("WRITE_KEY")?;
    /// # let rows = ["u1", "u2"];
    /// for user in rows {
    ///     analytics.send_when_ready_blocking(Track::new("Imported").user_id(user), Duration::from_secs(60))?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send_when_ready`](Self::send_when_ready), and one if there is no room in time, for which
    /// [`is_queue_full`](CallError::is_queue_full) returns `true`. The error holds the event.
    pub fn send_when_ready_blocking(&self, event: impl Into<Event>, timeout: Duration) -> Result<(), CallError> {
        let deadline = deadline(timeout);
        let mut sent = pin!(self.handle.client.intake.push_when_room(event.into(), Some(deadline)));
        loop {
            if let Some(outcome) = threads::block_until(sent.as_mut(), Some(deadline)) {
                return outcome;
            }
        }
    }
}
