//! The limits of a client: how much may be under way.

use crate::plugin::{Overflow, QueueLimits};

/// The settings that limit what a client accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// If the queue of a destination is full, its oldest event gives way; otherwise the new one is dropped.
    pub(crate) drops_oldest: bool,
    /// Every event ends at once: it is counted and not sent.
    pub(crate) all_disabled: bool,
}

impl Limits {
    /// Returns what the client may have under way.
    pub(super) fn whole(&self) -> QueueLimits {
        let whole = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        QueueLimits::new(whole(self.events), whole(self.bytes))
    }

    /// Returns the limits of a destination that sets none: twice what the client may have under way. An event takes room
    /// in the client until the first destination has taken it, and the others may be as far behind. If the oldest event gives
    /// way, a destination has what the client may have.
    pub(super) fn queue(&self) -> QueueLimits {
        let QueueLimits { events, bytes, .. } = self.whole();
        if self.drops_oldest {
            return self.whole().overflow(Overflow::DropOldest);
        }
        QueueLimits::new(events.saturating_mul(2), bytes.saturating_mul(2))
    }
}
