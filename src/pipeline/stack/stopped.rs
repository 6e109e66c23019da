//! The error of the stack: an event goes no further.

use crate::ledger::DropReason;

/// The event went no further: why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event was dropped: {reason}")]
#[non_exhaustive]
pub struct Stopped {
    /// As it is counted.
    pub reason: DropReason,
}

impl Stopped {
    pub(in crate::pipeline) fn new(reason: DropReason) -> Self {
        Self { reason }
    }
}
