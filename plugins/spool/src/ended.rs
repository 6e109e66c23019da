//! A finished file: its fate, and the events that the destination will never have.

use tracklane::DropReason;

use crate::slot::SpooledFile;

/// The fate of a finished file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Deleted,
    /// Renamed, for an operator to look at.
    Quarantine,
}

/// The reason why the destination will never have an event.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Its place among the lines of the file.
    pub(crate) at: usize,
    pub(crate) reason: DropReason,
    pub(crate) error: Option<String>,
}

/// A file that is done with.
#[derive(Clone)]
pub(crate) struct Ended {
    pub(crate) file: SpooledFile,
    pub(crate) fate: Fate,
    /// The events to keep as dead letters.
    pub(crate) refused: Vec<Refusal>,
}

impl Ended {
    pub(crate) fn new(file: SpooledFile, fate: Fate) -> Self {
        Self { file, fate, refused: Vec::new() }
    }

    pub(crate) fn with_refused(self, refused: Vec<Refusal>) -> Self {
        Self { refused, ..self }
    }
}
