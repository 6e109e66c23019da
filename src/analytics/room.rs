//! Sending that waits for room, for those who have more events than the queue holds.

use std::pin::pin;
use std::time::Duration;

use super::Analytics;
use crate::event::Event;
use crate::pipeline::deadline;
use crate::refusal::CallError;
use crate::threads;

impl Analytics {
    /// As [`send`](Self::send), but waits for room if the queue is full. Needs no runtime of its own.
    ///
    /// # Errors
    ///
    /// If the event is not one that can be sent, or the client closed. The error holds the event.
    pub async fn send_when_ready(&self, event: impl Into<Event> + Send) -> Result<(), CallError> {
        self.handle.client.intake.push_when_room(event.into(), None).await
    }

    /// [`send_when_ready`](Self::send_when_ready), where there is no async code. Blocks the thread, at most `timeout`.
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
    /// As [`send_when_ready`](Self::send_when_ready); and if there is no room in time, which
    /// [`is_queue_full`](CallError::is_queue_full) tells. The error holds the event.
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
