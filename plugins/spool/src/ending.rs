//! The end of a file: deleted, set aside, or first its refused events kept as dead letters.
//!
//! Invariant: a file with events to keep is removed only after they are on the disk as dead letters. A file that cannot
//! be removed is tried again, and counts until then.

use std::io;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use tracklane::DropReason;

use crate::dead::{DeadLetter, DeadLetters};
use crate::ended::{Ended, Fate, Refusal};
use crate::frame;
use crate::slot::{self, SpooledFile};
use crate::stats::count;
use crate::store::{MAX_FILE_BYTES, Store};

impl Store {
    pub(crate) fn expire(&self, file: &SpooledFile, events: usize, left: Vec<Refusal>) {
        self.end(Ended::new(file.clone(), Fate::Deleted).with_refused(left));
        count(&self.counters.expired, events);
        let fate = if self.keep_refused { "kept as dead letters" } else { "dropped" };
        let message = format!("{events} events waited longer than {:?} on the disk; they are {fate}", self.max_age);
        self.lose(events, DropReason::Expired, message);
    }

    /// Finishes a file. If it cannot be removed, that is reported once and tried again.
    pub(crate) fn end(&self, ended: Ended) {
        let path = ended.file.path();
        if let Err(error) = self.take_away(ended) {
            self.fail(0, format!("{path:?} is done with and cannot be taken away: {error}; it is tried again"));
        }
    }

    /// Tries again to remove files that could not be removed.
    pub(crate) fn try_the_stuck(&self) {
        let stuck = std::mem::take(&mut *self.stuck());
        stuck.into_iter().for_each(|ended| drop(self.take_away(ended)));
    }

    fn take_away(&self, mut ended: Ended) -> io::Result<()> {
        if let Err(error) = self.keep(&mut ended) {
            self.stuck().push(ended);
            return Err(error);
        }
        let taken = match ended.fate {
            Fate::Deleted => ended.file.delete(&self.disk),
            Fate::Quarantine => ended.file.quarantine().map(|()| count(&self.counters.quarantined, 1)),
        };
        match taken {
            // It does not exist any more, so it is not in the way.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.stuck().push(ended);
                Err(error)
            }
            taken => {
                self.counters.removed(&ended.file);
                taken
            }
        }
    }

    /// Writes the refused events as dead letters, once.
    fn keep(&self, ended: &mut Ended) -> io::Result<()> {
        if !self.keep_refused || ended.refused.is_empty() {
            return Ok(());
        }
        let bytes = match ended.file.read(&self.disk, MAX_FILE_BYTES) {
            // Another process has taken it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        let lines = frame::lines(&bytes);
        let letter =
            |refusal: &Refusal| DeadLetter::new(lines.get(refusal.at)?, refusal.reason.as_str(), refusal.error.clone());
        let letters: Vec<DeadLetter> = ended.refused.iter().filter_map(letter).collect();
        DeadLetters::of(&self.root).write_with(&self.disk, &letters, self.max_bytes)?;
        ended.refused.clear();
        Ok(())
    }

    pub(crate) fn quarantine(&self, path: &Path, why: &str) {
        count(&self.counters.quarantined, 1);
        match slot::quarantine(path) {
            Ok(aside) => self.fail(0, format!("{path:?} cannot be sent: {why}; it is set aside as {aside:?}")),
            Err(error) => self.fail(0, format!("{path:?} cannot be sent: {why}; nor can it be set aside: {error}")),
        }
    }

    fn stuck(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
