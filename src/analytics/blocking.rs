//! Calls that block the thread, for code that is not async. Left out in WebAssembly, where nothing can block.

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
    /// Like [`flush`](Self::flush), for code that is not async. Blocks the thread.
    pub fn flush_blocking(&self, timeout: Duration) -> FlushReport {
        self.handle.client.flush_blocking(timeout)
    }

    /// Like [`close`](Self::close), for code that is not async. Blocks the thread.
    ///
    /// Do not call it in async code of the runtime that [`Builder::runtime`](crate::Builder::runtime) was given: there
    /// it does not wait until plugins are unloaded, because they may need this very thread for that. A thread of
    /// `spawn_blocking` is fine.
    pub fn close_blocking(&self, timeout: Duration) -> CloseReport {
        self.handle.client.close_blocking(timeout)
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
        let client = &self.handle.client;
        let mut sent = pin!(client.background.run(client.intake.push_when_room(event.into(), Some(deadline))));
        loop {
            if let Some(outcome) = threads::block_until(sent.as_mut(), Some(deadline)) {
                return outcome;
            }
        }
    }

    /// Waits for the outcome of one event. Meanwhile no event waits for its batch to fill. Blocks the thread.
    pub(crate) fn flush_for(
        &self,
        receipt: Receipt,
        timeout: Duration,
    ) -> Result<Settlement, Option<Arc<DeliveryError>>> {
        self.handle.client.flush_for(receipt, deadline(timeout))
    }
}
