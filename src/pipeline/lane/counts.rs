//! The counts of one lane since it started.

use crate::ledger::{Drops, Outcome};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LaneCounts {
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    pub(super) dropped: Drops,
    pub(super) attempts: u64,
    pub(super) retries: u64,
    /// Bytes of the events' JSON, summed over all attempts.
    pub(super) bytes: u64,
    /// Delivered batches.
    pub(super) batches: u64,
}

impl LaneCounts {
    /// Returns how many events were offered and have no outcome yet.
    pub(super) fn pending(&self) -> u64 {
        self.accepted - self.delivered - self.dropped.total()
    }

    /// Counts an attempt at a batch of so many bytes. The first attempt is 1.
    pub(super) fn record_attempt(&mut self, attempt: u32, bytes: usize) {
        self.attempts += 1;
        self.retries += u64::from(attempt > 1);
        self.bytes += bytes as u64;
    }

    /// Counts events that have their outcome.
    pub(super) fn record_outcome(&mut self, outcome: Outcome, events: usize) {
        match outcome {
            Outcome::Delivered => self.delivered += events as u64,
            Outcome::Dropped(reason) => self.dropped.add(reason, events as u64),
        }
    }
}
