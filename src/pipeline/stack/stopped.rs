//! The error of the stack: an event was stopped.

use crate::ledger::{DropReason, Outcome, Ticket};

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

/// Stops an event: settles its ticket as dropped for `reason`.
pub(super) fn stop(ticket: &Ticket, reason: DropReason) -> Stopped {
    ticket.settle(Outcome::Dropped(reason));
    Stopped::new(reason)
}
