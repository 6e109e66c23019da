//! A file that the feeder is not done with.

use std::sync::Arc;

use crate::ended::{Fate, Refusal};
use crate::handover::Copy;
use crate::slot::SpooledFile;

/// A file on the disk, on its way to the feeder.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: SpooledFile,
    /// Its events, if they were just written and there was room for them.
    pub(crate) copy: Option<Arc<Copy>>,
}

/// A file that is not done with.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) file: SpooledFile,
    /// Its events, until they are sent for the first time.
    pub(crate) copy: Option<Arc<Copy>>,
    /// For each of its lines whether it needs nothing more; empty before the first time that it was opened.
    pub(crate) ended: Vec<bool>,
    /// Events that were sent this time.
    pub(crate) sent: usize,
    /// The round in which they were.
    pub(crate) round: u64,
    /// It could not be read the last time.
    pub(crate) skipped: bool,
    /// The fate of the file.
    pub(crate) fate: Fate,
    /// The events that the destination refused.
    pub(crate) refused: Vec<Refusal>,
    /// Its place in the order in which files came.
    pub(crate) place: u64,
}

impl Waiting {
    pub(crate) fn new(Found { file, copy }: Found, place: u64) -> Self {
        let (fate, refused) = (Fate::Deleted, Vec::new());
        Self { file, copy, ended: Vec::new(), sent: 0, round: 0, skipped: false, fate, refused, place }
    }

    /// Notes how many lines there are and which of them are events, the first time that they are known.
    pub(crate) fn open(&mut self, lines: usize, events: impl Iterator<Item = usize>) {
        if self.ended.is_empty() {
            self.ended = vec![true; lines];
            events.for_each(|at| self.end(at, false));
        }
    }

    pub(crate) fn has_ended(&self, at: usize) -> bool {
        self.ended.get(at).is_some_and(|ended| *ended)
    }

    pub(crate) fn end(&mut self, at: usize, ended: bool) {
        if let Some(line) = self.ended.get_mut(at) {
            *line = ended;
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.ended.iter().all(|ended| *ended)
    }
}
