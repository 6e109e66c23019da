//! The error of the stack: an event was stopped.

use crate::ledger::DropReason;

/// The event was stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event was dropped: {reason}")]
#[non_exhaustive]
pub struct Stopped {
    /// The reason, as it is counted.
    pub reason: DropReason,
}

impl Stopped {
    pub(in crate::pipeline) fn new(reason: DropReason) -> Self {
        Self { reason }
    }
}
