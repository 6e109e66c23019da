//! The destinations that have not completed one event. The last one to complete decides the event's outcome.
//!
//! Invariants: exactly one [`settle_once`](PendingDestinations::settle_once) and one
//! [`release_once`](PendingDestinations::release_once) return `true`. The last
//! [`complete_one`](PendingDestinations::complete_one) returns the greatest of all outcomes; the others return `None`.
//! `tests/schedules` checks this; see [`sync`](crate::sync).

use crate::sync::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// The outcome at a destination that took the event. It is the greatest.
pub(crate) const DELIVERED: u8 = u8::MAX;

/// The state of one event across its destinations.
#[derive(Debug, Default)]
pub(crate) struct PendingDestinations {
    settled: AtomicBool,
    /// Set when a first destination has taken the event, or none is left.
    freed: AtomicBool,
    /// The number of destinations that have not completed the event, once it is known.
    open: AtomicU32,
    /// The greatest outcome at those that have.
    greatest: AtomicU8,
    /// Set when a close hands the event back.
    handed_back: AtomicBool,
}

impl PendingDestinations {
    /// Sets how many destinations have the event.
    pub(crate) fn set_count(&mut self, destinations: u32) {
        self.open = AtomicU32::new(destinations);
    }

    /// Settles the event. Returns whether this call did; no other will.
    pub(crate) fn settle_once(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
    }

    /// Releases the event's capacity. Returns whether this call did; no other will.
    pub(crate) fn release_once(&self) -> bool {
        !self.freed.swap(true, Ordering::AcqRel)
    }

    /// Hands the event back. Returns whether this call did; no other will, for any destination.
    pub(crate) fn hand_back_once(&self) -> bool {
        !self.handed_back.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Completes the event for one destination. The last call returns the greatest outcome of all destinations.
    pub(crate) fn complete_one(&self, outcome: u8) -> Option<u8> {
        self.greatest.fetch_max(outcome, Ordering::AcqRel);
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return None;
        }
        Some(self.greatest.load(Ordering::Acquire))
    }
}
