//! One event at several destinations: the last that is done with it makes its outcome, and only one settles it.
//!
//! Always: of all calls of [`Shares::settle_once`] one answers true, and so of [`Shares::free_once`]; of as many
//! [`Shares::settle_share`] as there are shares one answers, with whether any of them was delivered. See
//! [`sync`](crate::sync) on how that is checked.

use crate::sync::{AtomicBool, AtomicU32, Ordering};

/// What is open of one event.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    settled: AtomicBool,
    /// A destination is done with the event.
    freed: AtomicBool,
    /// Destinations that have not settled their share, once it is known how many there are.
    open: AtomicU32,
    delivered: AtomicBool,
    /// A close hands the event back.
    handed_back: AtomicBool,
}

impl Shares {
    /// From now on there are that many shares.
    pub(crate) fn divide(&mut self, shares: u32) {
        self.open = AtomicU32::new(shares);
    }

    /// Whether this call settled the event; no other will.
    pub(crate) fn settle_once(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
    }

    /// Whether this call freed the event's room; no other will.
    pub(crate) fn free_once(&self) -> bool {
        !self.freed.swap(true, Ordering::AcqRel)
    }

    /// Whether this call hands the event back; no other will, whichever destinations it was for.
    pub(crate) fn hand_back_once(&self) -> bool {
        !self.handed_back.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// One destination is done. The last one learns whether any has the event.
    pub(crate) fn settle_share(&self, delivered: bool) -> Option<bool> {
        if delivered {
            self.delivered.store(true, Ordering::Release);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return None;
        }
        Some(self.delivered.load(Ordering::Acquire))
    }
}
