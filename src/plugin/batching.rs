//! The size and age at which a batch is due, and the limits of a queue.

use std::time::Duration;

use crate::event::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS};

/// Sets when events leave as a batch, and how large one may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Batching {
    pub(crate) flush_at: usize,
    pub(crate) interval: Duration,
    pub(crate) max_events: usize,
    pub(crate) max_bytes: usize,
    pub(crate) full_when_driven: bool,
}

impl Batching {
    /// Sends every event by itself, at once.
    pub const fn single() -> Self {
        Self { flush_at: 1, interval: Duration::ZERO, max_events: 1, max_bytes: usize::MAX, full_when_driven: false }
    }

    /// Makes a batch due when `events` wait, or when the first has waited for `interval`.
    ///
    /// While the destination has as many batches in flight as it takes, waiting events add up, and leave in larger
    /// batches: up to 2,500 events and 500,000 bytes, unless set otherwise.
    pub const fn every(events: usize, interval: Duration) -> Self {
        Self {
            flush_at: events,
            interval,
            max_events: MAX_BATCH_EVENTS,
            max_bytes: MAX_BATCH_BYTES,
            full_when_driven: false,
        }
    }

    /// Limits the events of one batch.
    pub const fn max_events(mut self, events: usize) -> Self {
        self.max_events = events;
        self
    }

    /// Limits the bytes of one batch: its events as JSON, with a comma each. A single event may be larger.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes a batch of a [driven](crate::Builder::driven) client due when it is full, by
    /// [`max_events`](Self::max_events) or [`max_bytes`](Self::max_bytes), not when the events of
    /// [`every`](Self::every) wait. For a number of events that is a default: such a client sends in a flush, where
    /// smaller batches are more requests, and no event is sent earlier.
    pub const fn full_when_driven(mut self) -> Self {
        self.full_when_driven = true;
        self
    }

    /// Returns what holds in a driven client.
    pub(crate) const fn when_driven(mut self) -> Self {
        if self.full_when_driven {
            self.flush_at = self.max_events;
        }
        self
    }
}

/// Limits how much may wait for a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct QueueLimits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: Overflow,
}

impl QueueLimits {
    /// Allows `events` events of `bytes` bytes as JSON, those in flight included.
    pub const fn new(events: usize, bytes: usize) -> Self {
        Self { events, bytes, overflow: Overflow::RefuseNew }
    }

    /// Sets what happens to an event that does not fit.
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}

impl Default for QueueLimits {
    /// 10,000 events, 32 MiB.
    fn default() -> Self {
        Self::new(10_000, 32 * 1024 * 1024)
    }
}

/// The policy for a full queue.
///
/// Non-exhaustive, because another policy may be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overflow {
    /// The new event is refused: the call returns an error.
    #[default]
    RefuseNew,
    /// The oldest event that waits is dropped, and counted.
    DropOldest,
}
