//! Waiting until every event that was accepted before has its outcome.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Ledger, Outcome};

/// What became of the events that a flush waited for: those that were accepted before it and had no outcome yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Events that at least one destination has.
    pub delivered: u64,
    /// Events that were dropped because somebody [asked for it](crate::DropReason::is_deliberate): a plugin, say.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have their outcome nevertheless.
    pub callbacks: u64,
}

impl FlushReport {
    /// Whether nothing failed and nothing is pending, whatever callbacks do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.pending == 0
    }
}

/// One flush that is under way: it counts the events of its epoch and of earlier ones.
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
    /// Begins to count for a flush of everything up to `epoch`. The caller makes sure that no event of that epoch is
    /// accepted meanwhile or later. Returns the flush's number for [`wait`](Self::wait).
    pub(crate) fn begin_flush(&self, epoch: u64) -> u64 {
        let mut books = self.books();
        books.flush_count += 1;
        let pending = self.accepted() - books.settled();
        let report = FlushReport { pending, ..FlushReport::default() };
        let id = books.flush_count;
        self.flushing.fetch_add(1, Ordering::AcqRel);
        books.flushes.push(FlushTally { id, epoch, report });
        id
    }

    /// Blocks until the flush is complete or `deadline` has passed, and ends it.
    pub(crate) fn wait(&self, flush: u64, deadline: Instant) -> FlushReport {
        let mut books = self.books();
        loop {
            let Some(at) = books.flushes.iter().position(|tally| tally.id == flush) else {
                return FlushReport::default();
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let done = books.flushes.get(at).is_none_or(|tally| tally.report.pending == 0);
            if done || left == Duration::ZERO {
                self.flushing.fetch_sub(1, Ordering::AcqRel);
                return books.flushes.swap_remove(at).report;
            }
            books = self.changed.wait_timeout(books, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
