//! Begins flushes, and waits for them.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Ledger;
use super::flush::{FlushReport, FlushTally};
use crate::sync::Instant;

impl Ledger {
    /// Starts to count for a flush of everything up to `epoch`. The caller ensures that no event of that epoch is
    /// accepted meanwhile or later. Returns the flush's number for [`wait`](Self::wait).
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

    /// Returns whether everything that the flush waits for has its outcome.
    pub(crate) fn is_flushed(&self, flush: u64) -> bool {
        self.totals().is_flushed(flush)
    }

    /// Ends the flush, complete or not.
    pub(crate) fn end_flush(&self, flush: u64) -> FlushReport {
        let mut totals = self.totals();
        let Some(at) = totals.flushes.iter().position(|tally| tally.id == flush) else { return FlushReport::default() };
        self.flushing.fetch_sub(1, Ordering::AcqRel);
        totals.flushes.swap_remove(at).report
    }

    /// Blocks until the flush is complete or `deadline` has passed, and ends it.
    pub(crate) fn wait(&self, flush: u64, deadline: Instant) -> FlushReport {
        let mut totals = self.totals();
        while !totals.is_flushed(flush) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            totals = self.changed.wait_timeout(totals, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(totals);
        self.end_flush(flush)
    }
}
