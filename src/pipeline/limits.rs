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
    /// Returns the limits of a destination that sets none: as much as the client may have under way.
    pub(super) fn queue(&self) -> QueueLimits {
        let overflow = if self.drops_oldest { Overflow::DropOldest } else { Overflow::RefuseNew };
        let whole = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        QueueLimits::new(whole(self.events), whole(self.bytes)).overflow(overflow)
    }
}
