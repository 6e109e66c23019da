//! The disposition of an event: the consequence of its outcome at the destination for the file that holds it.

use std::collections::HashMap;

use tracklane::{DropReason, Outcome};

/// The consequence for an event in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The destination has the event.
    Delivered,
    /// It never will have it; the client behind the spool has reported why.
    Refused,
    /// It may have it later: the event stays on the disk.
    Later,
}

/// The dispositions of events, by their `messageId`.
pub(crate) type Dispositions = HashMap<String, Disposition>;

/// Returns the disposition of an outcome. A decision about the event itself is final. An outcome that only means that
/// the destination was not available is not final.
pub(crate) fn disposition_of(outcome: Outcome) -> Disposition {
    match outcome {
        Outcome::Delivered => Disposition::Delivered,
        // Credentials can be put right, so `Unauthorized` is not among these. A batch that makes the destination panic
        // would do so for ever.
        Outcome::Dropped(
            DropReason::Rejected
            | DropReason::Skipped
            | DropReason::TooLarge
            | DropReason::TooOld
            | DropReason::Panicked
            | DropReason::Plugin
            | DropReason::Invalid,
        ) => Disposition::Refused,
        Outcome::Dropped(_) => Disposition::Later,
    }
}
