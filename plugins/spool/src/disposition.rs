//! What an outcome at the destination means for the file that the event is in.

use tracklane::{DropReason, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The destination has the event.
    Delivered,
    /// It never will have it; the client behind the spool has reported why.
    Refused,
    /// It may have it later: the event stays on the disk.
    Later,
}

/// What the destination decided on the event itself is final; what only says that it was not to be had is not.
pub(crate) fn end_of(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Delivered => Ending::Delivered,
        // Credentials can be put right, so `Unauthorized` is not among these. A batch that makes the destination panic
        // would do so for ever.
        Outcome::Dropped(
            DropReason::Rejected
            | DropReason::TooLarge
            | DropReason::Panicked
            | DropReason::Plugin
            | DropReason::Invalid,
        ) => Ending::Refused,
        Outcome::Dropped(_) => Ending::Later,
    }
}
