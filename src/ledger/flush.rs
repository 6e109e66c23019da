//! Flushes. Each waits until every event that was accepted before it has its outcome.

use super::outcome::Outcome;

/// The result of a flush. It counts the events that were accepted before it and had no outcome yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FlushReport {
    /// Events that at least one destination took.
    pub delivered: u64,
    /// Events that were dropped [on purpose](crate::DropReason::is_deliberate), such as by a plugin.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Deliveries that failed for good. An event counts here once per destination that lost it, even if another
    /// destination took it. [`stats`](crate::Analytics::stats) has them by destination.
    pub failed_deliveries: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have an outcome all the same.
    pub callbacks: u64,
}

impl FlushReport {
    /// Returns whether nothing failed at any destination and nothing is pending. Callbacks do not count.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.failed_deliveries == 0 && self.pending == 0
    }
}

/// The counts of one flush under way: of events of its epoch and of earlier ones.
#[derive(Debug)]
pub(super) struct FlushTally {
    pub(super) id: u64,
    pub(super) epoch: u64,
    pub(super) report: FlushReport,
}

impl FlushTally {
    /// Counts events of `epoch` that one destination has lost.
    pub(super) fn count_failed_delivery(&mut self, epoch: u64) {
        if epoch <= self.epoch {
            self.report.failed_deliveries += 1;
        }
    }

    pub(super) fn count(&mut self, epoch: u64, outcome: Outcome) {
        if epoch > self.epoch {
            return;
        }
        self.report.pending -= 1;
        match outcome {
            Outcome::Delivered => self.report.delivered += 1,
            Outcome::Dropped(reason) if reason.is_deliberate() => self.report.dropped += 1,
            Outcome::Dropped(_) => self.report.failed += 1,
        }
    }
}
