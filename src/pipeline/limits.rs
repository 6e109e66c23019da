//! How much a client may have under way.

use crate::plugin::{Overflow, QueueLimits};

/// The settings of a client that say what it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Whether the oldest gives way, in the destination's queue, rather than the new one being refused.
    pub(crate) drops_oldest: bool,
    /// Whether every event ends at once, counted and not sent.
    pub(crate) all_disabled: bool,
}

impl Limits {
    /// What the queue of a destination may hold that sets no limits of its own: as much as there may be under way.
    pub(super) fn queue(&self) -> QueueLimits {
        let overflow = if self.drops_oldest { Overflow::DropOldest } else { Overflow::RefuseNew };
        let whole = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        QueueLimits::new(whole(self.events), whole(self.bytes)).overflow(overflow)
    }
}
