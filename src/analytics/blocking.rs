//! The calls that wait, where there is no async code: they block the thread. Not in WebAssembly, where nothing can.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::Analytics;
use crate::event::Event;
use crate::ledger::{DeliveryError, FlushReport, Receipt, Settlement};
use crate::pipeline::{CloseReport, deadline};
use crate::refusal::CallError;
use crate::threads;

impl Analytics {
    /// [`flush`](Self::flush), where there is no async code. Blocks the thread.
    pub fn flush_blocking(&self, timeout: Duration) -> FlushReport {
        self.handle.client.flush_blocking(timeout)
    }

    /// [`close`](Self::close), where there is no async code. Blocks the thread.
    pub fn close_blocking(&self, timeout: Duration) -> CloseReport {
        self.handle.client.close_blocking(timeout)
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
        let client = &self.handle.client;
        let mut sent = pin!(client.background.run(client.intake.push_when_room(event.into(), Some(deadline))));
        loop {
            if let Some(outcome) = threads::block_until(sent.as_mut(), Some(deadline)) {
                return outcome;
            }
        }
    }

    /// Waits for the end of one event, with nothing waiting for its batch to fill. Blocks the thread.
    pub(crate) fn flush_for(
        &self,
        receipt: Receipt,
        timeout: Duration,
    ) -> Result<Settlement, Option<Arc<DeliveryError>>> {
        self.handle.client.flush_for(receipt, deadline(timeout))
    }
}
