//! Flush and close on the caller's thread, which is blocked.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::deadline::{deadline, left};
use super::{Client, CloseReport};
use crate::clock::Instant;
use crate::ledger::{DeliveryError, FlushReport, Receipt, Settlement};
use crate::threads;

impl Client {
    /// As [`flush_within`](Self::flush_within), on this thread.
    pub(crate) fn flush_blocking(self: &Arc<Self>, timeout: Duration) -> FlushReport {
        match self.background.tasks() {
            Some(tasks) => block_on(timeout, tasks.run(self.flush_driven(tasks, timeout))),
            None => self.flush(deadline(timeout)),
        }
    }

    /// As [`close_within`](Self::close_within), on this thread.
    pub(crate) fn close_blocking(self: &Arc<Self>, timeout: Duration) -> CloseReport {
        match self.background.tasks() {
            Some(tasks) => block_on(timeout, tasks.run(self.close_driven(tasks, timeout))),
            None => self.close(deadline(timeout)),
        }
        self.report()
    }

    /// Like [`flush`](Self::flush), but waits for the outcome of one event only. If that does not come in time, returns
    /// the error of the first destination whose last attempt failed.
    pub(crate) fn flush_for(
        &self,
        receipt: Receipt,
        deadline: Instant,
    ) -> Result<Settlement, Option<Arc<DeliveryError>>> {
        if self.background.is_forked() {
            return Err(None);
        }
        let end = receipt.wait_timeout(left(deadline));
        end.map_err(|_| self.stack.load().plugins.lanes.iter().find_map(|lane| lane.last_error()))
    }
}

/// Drives on the calling thread, by which no timer of the host's may end: at the deadline the work is polled once more.
fn block_on<T>(timeout: Duration, work: impl Future<Output = T>) -> T {
    let (deadline, mut work) = (deadline(timeout), pin!(work));
    loop {
        // It began a moment later, and ends then.
        if let Some(output) = threads::block_until(work.as_mut(), Some(deadline)) {
            return output;
        }
    }
}
