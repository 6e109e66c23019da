//! Counts of one lane since it began.

use crate::ledger::{Drops, Outcome};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    pub(super) dropped: Drops,
    pub(super) attempts: u64,
    pub(super) retries: u64,
    /// Bytes of the events' JSON over all attempts.
    pub(super) bytes: u64,
    /// Delivered batches.
    pub(super) batches: u64,
}

impl Counts {
    /// Counts events that were offered and have neither been delivered nor dropped.
    pub(super) fn pending(&self) -> u64 {
        self.accepted - self.delivered - self.dropped.total()
    }

    /// Counts an attempt, from 1, at a batch of so many bytes.
    pub(super) fn record_attempt(&mut self, attempt: u32, bytes: usize) {
        self.attempts += 1;
        self.retries += u64::from(attempt > 1);
        self.bytes += bytes as u64;
    }

    /// Counts events that ended.
    pub(super) fn record_outcome(&mut self, outcome: Outcome, events: usize) {
        match outcome {
            Outcome::Delivered => self.delivered += events as u64,
            Outcome::Dropped(reason) => self.dropped.add(reason, events as u64),
        }
    }
}
