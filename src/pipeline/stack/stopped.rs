//! The error of the stack: an event goes no further.

use crate::ledger::{DropReason, Outcome, Ticket};

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

/// Stops an event: settles its ticket as dropped for `reason`.
pub(super) fn stop(ticket: &Ticket, reason: DropReason) -> Stopped {
    ticket.settle(Outcome::Dropped(reason));
    Stopped::new(reason)
}
