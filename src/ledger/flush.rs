//! Flushes: each waits until every event that was accepted before it has its outcome.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Ledger, Outcome};

/// The result of a flush: counts the events that it waited for, which were accepted before it and had no outcome yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Events that at least one destination has.
    pub delivered: u64,
    /// Events that were dropped [on purpose](crate::DropReason::is_deliberate), such as by a plugin.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have their outcome nevertheless.
    pub callbacks: u64,
}

impl FlushReport {
    /// Returns whether nothing failed and nothing is pending. Callbacks do not matter.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.pending == 0
    }
}

/// The count of one flush that is under way: events of its epoch and of earlier ones.
#[derive(Debug)]
pub(super) struct FlushTally {
    id: u64,
    epoch: u64,
    pub(super) report: FlushReport,
}

impl FlushTally {
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

impl Ledger {
    /// Begins to count for a flush of everything up to `epoch`. The caller ensures that no event of that epoch is accepted
    /// meanwhile or later. Returns the flush's number for [`wait`](Self::wait).
    pub(crate) fn begin_flush(&self, epoch: u64) -> u64 {
        let mut totals = self.totals();
        totals.flush_count += 1;
        let pending = self.accepted() - totals.settled();
        let report = FlushReport { pending, ..FlushReport::default() };
        let id = totals.flush_count;
        self.flushing.fetch_add(1, Ordering::AcqRel);
        totals.flushes.push(FlushTally { id, epoch, report });
        id
    }

    /// Blocks until the flush is complete or `deadline` has passed, and ends it.
    pub(crate) fn wait(&self, flush: u64, deadline: Instant) -> FlushReport {
        let mut totals = self.totals();
        loop {
            let Some(at) = totals.flushes.iter().position(|tally| tally.id == flush) else {
                return FlushReport::default();
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let done = totals.flushes.get(at).is_none_or(|tally| tally.report.pending == 0);
            if done || left == Duration::ZERO {
                self.flushing.fetch_sub(1, Ordering::AcqRel);
                return totals.flushes.swap_remove(at).report;
            }
            totals = self.changed.wait_timeout(totals, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
