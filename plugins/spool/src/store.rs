//! The store: the slots of this process in the directory, and the files that are written, read, deleted and
//! quarantined.
//!
//! Invariant: the feeder gets a file once it is whole on the disk. Each file belongs to one process, which has the
//! destination that it is for. This process never sends a file again that is done, even if it cannot be deleted; it
//! counts until it is. Everything here blocks, and belongs on a [`DiskThread`](crate::disk_thread::DiskThread).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::UnboundedSender;
use tracklane::DropReason;
use tracklane::emitter::Emitter;
use tracklane::emitter::signal::Failure;
use tracklane::event::Message;

use crate::age::WallClock;
use crate::disk::Disk;
use crate::ended::{Ended, Fate, Refusal};
use crate::frame::{self, Contents};
use crate::handover::{Copies, Copy};
use crate::report;
use crate::slot::{self, Slot, SpooledFile, WeakSlot, in_blocks};
use crate::stats::{Counters, count};
use crate::waiting::Found;

/// The largest size of one file. The largest batch that a lane makes by default is 500,000 bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The reason why events are not on the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    #[error("{waiting} bytes wait in the spool, and {bytes} more would be beyond its max_bytes, {max}")]
    Full { waiting: u64, bytes: u64, max: u64 },
    #[error("one file would have {bytes} bytes, more than a file may have: {MAX_FILE_BYTES}")]
    TooLarge { bytes: u64 },
    #[error("{path:?} cannot be written")]
    Io { path: PathBuf, source: io::Error },
    #[error("the directory is not open")]
    NotOpen,
    #[error("{path:?} is still being opened")]
    Opening { path: PathBuf },
    #[error("the spool was closed")]
    Closed,
    #[error(transparent)]
    Panicked(#[from] crate::disk_thread::Panicked),
}

/// The result of opening a file.
pub(crate) enum Opened {
    Contents(Contents),
    /// It is gone or quarantined; there is nothing to send.
    Nothing,
    /// It cannot be read at the moment.
    Later(io::Error),
}

pub(crate) struct Store {
    pub(crate) name: Arc<str>,
    pub(crate) root: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) refuse_unwritten: bool,
    pub(crate) keep_refused: bool,
    pub(crate) counters: Arc<Counters>,
    pub(crate) emitter: Emitter,
    /// The feeder's side of every file.
    pub(crate) found: UnboundedSender<Found>,
    /// Where copies of what was just written wait for the feeder.
    pub(crate) copies: Copies,
    pub(crate) own_slot: Mutex<OwnSlot>,
    /// The other destinations whose events were found and reported.
    pub(crate) other_destinations: Mutex<BTreeSet<String>>,
    /// The slot of this process was opened once.
    pub(crate) opened: AtomicBool,
    /// The slots whose files this process sends.
    pub(crate) slots: Mutex<Vec<WeakSlot>>,
    /// Files that are done and could not be deleted or renamed yet.
    pub(crate) stuck: Mutex<Vec<Ended>>,
    pub(crate) wall_clock: WallClock,
}

/// The slot that this process writes to.
#[derive(Default)]
pub(crate) enum OwnSlot {
    #[default]
    Unopened,
    Open {
        slot: Slot,
        next: u64,
    },
    Closed,
}

impl Store {
    /// Takes a free slot, and adopts those of processes that have ended.
    pub(crate) fn open(&self) -> Result<(), NotWritten> {
        let mut own = self.own_slot();
        match *own {
            OwnSlot::Closed => return Err(NotWritten::Closed),
            OwnSlot::Open { .. } => return Ok(()),
            OwnSlot::Unopened => {}
        }
        let (slot, next) = self.take_slot().map_err(|source| NotWritten::Io { path: self.root.clone(), source })?;
        *own = OwnSlot::Open { slot, next };
        drop(own);
        self.opened.store(true, Release);
        self.adopt_abandoned();
        Ok(())
    }

    /// Returns whether a slot of our own was taken once.
    pub(crate) fn is_opened(&self) -> bool {
        self.opened.load(Acquire)
    }

    /// The slot of our own, if it is open and still there.
    fn opened<'a>(&self, own: &'a mut OwnSlot) -> Result<(&'a Slot, &'a mut u64), NotWritten> {
        if let OwnSlot::Open { slot, .. } = own
            && !slot.is_held()
        {
            self.fail(0, format!("{:?} was deleted or moved by somebody else; another is taken", slot.directory()));
            *own = OwnSlot::Unopened;
        }
        match own {
            OwnSlot::Open { slot, next } => Ok((slot, next)),
            OwnSlot::Unopened => Err(NotWritten::NotOpen),
            OwnSlot::Closed => Err(NotWritten::Closed),
        }
    }

    fn take_slot(&self) -> io::Result<(Slot, u64)> {
        if !self.root.exists() {
            if let Some(parent) = self.root.parent() {
                fs::create_dir_all(parent)?;
            }
            self.disk.private_directory(&self.root)?;
        }
        let mut refusal = None;
        for number in 0..slot::MAX_SLOTS {
            let slot = match self.lock(number) {
                Ok(Some(slot)) => slot,
                Ok(None) => continue,
                // Not one that can be used, such as a symbolic link; the next may be.
                Err(error) if slot::numbers(&self.root)?.contains(&number) => {
                    refusal = Some(error);
                    continue;
                }
                Err(error) => return Err(refusal.unwrap_or(error)),
            };
            slot.keep_for(&self.name)?;
            self.disk.sync_directory(&self.root)?;
            let next = self.claim(&slot)?;
            return Ok((slot, next));
        }
        Err(refusal.unwrap_or_else(|| io::Error::other("every slot is in use")))
    }

    /// Locks a slot; `None` if another process has it, or its events are for another destination.
    fn lock(&self, number: u32) -> io::Result<Option<Slot>> {
        let Some(slot) = Slot::lock(&self.disk, &self.root, number)? else { return Ok(None) };
        let Some(other) = slot.destination()?.filter(|name| **name != *self.name) else { return Ok(Some(slot)) };
        if Slot::has_files(&self.root, number) {
            self.report_stranger(&slot, other);
        }
        Ok(None)
    }

    /// Once per destination.
    fn report_stranger(&self, slot: &Slot, other: String) {
        let (directory, name) = (slot.directory(), &self.name);
        let message = format!(
            "the events in {directory:?} are for the destination {other:?}, not for {name:?}; they are left alone \
             until a spool in front of {other:?} uses the directory"
        );
        if self.other_destinations.lock().unwrap_or_else(PoisonError::into_inner).insert(other) {
            self.fail(0, message);
        }
    }

    /// Hands the files of a slot to the feeder. Returns the number of the slot's next file.
    fn claim(&self, slot: &Slot) -> io::Result<u64> {
        let found = slot.look_through(self.now())?;
        self.slots().push(slot.downgrade());
        found.foreign.iter().for_each(|path| self.quarantine(path, "it is not a file of the spool"));
        found.files.into_iter().for_each(|file| self.forward(file, None));
        Ok(found.next)
    }

    fn forward(&self, file: SpooledFile, copy: Option<Arc<Copy>>) {
        self.counters.appeared(&file);
        // If the feeder is gone, the file waits for the next process.
        let _ = self.found.send(Found { file, copy });
    }

    /// Does the periodic work: keeps the ages of files, tries again to remove files, and adopts those of other
    /// processes.
    pub(crate) fn look_after(&self) {
        let now = self.now();
        let jump = self.wall_clock.moved(now);
        let ours: Vec<Slot> = {
            let mut slots = self.slots();
            slots.retain(|slot| slot.upgrade().is_some());
            slots.iter().filter_map(WeakSlot::upgrade).collect()
        };
        for slot in ours {
            if let Some(Err(error)) = jump.map(|jump| slot.follow(jump, now)) {
                self.fail(0, format!("the files in {:?} do not follow the wall clock: {error}", slot.directory()));
            }
            slot.is_at_work(now);
        }
        self.try_the_stuck();
        // Before that, one of them would be taken for our own.
        if self.is_opened() {
            self.adopt_abandoned();
        }
    }

    /// Takes over slots with files whose process is gone.
    fn adopt_abandoned(&self) {
        for number in slot::numbers(&self.root).unwrap_or_default() {
            if !Slot::has_files(&self.root, number) {
                continue;
            }
            let adopted = match self.lock(number) {
                Ok(Some(slot)) => self.claim(&slot).map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = adopted {
                self.fail(0, format!("slot {number} of {:?} cannot be read: {error}", self.root));
            }
        }
    }

    /// Writes events as one file. They are on the disk when this returns.
    pub(crate) fn write<'m>(
        &self,
        messages: impl ExactSizeIterator<Item = &'m Message> + Clone,
    ) -> Result<(), NotWritten> {
        let count_of_events = messages.len();
        let file = frame::encode(messages.clone().map(Message::json));
        let bytes = file.len() as u64;
        if bytes > MAX_FILE_BYTES {
            return Err(NotWritten::TooLarge { bytes });
        }
        let mut own = self.own_slot();
        let (slot, next) = self.opened(&mut own)?;
        let (bytes, waiting) = (in_blocks(bytes), self.counters.bytes.load(Relaxed));
        if waiting.saturating_add(bytes) > self.max_bytes {
            return Err(NotWritten::Full { waiting, bytes, max: self.max_bytes });
        }
        let number = *next;
        // Also after a failure: the name may be on the disk nevertheless.
        *next += 1;
        let events = u32::try_from(count_of_events).unwrap_or(u32::MAX);
        let written = slot.write(&self.disk, number, events, &file);
        let file = written.map_err(|source| NotWritten::Io { path: slot.directory().to_owned(), source })?;
        count(&self.counters.spooled, count_of_events);
        self.forward(file, self.copies.copy_of(messages).map(Arc::new));
        Ok(())
    }

    /// The events of a file, of which some may have their end. One that is damaged is set aside, one that is too old
    /// taken away; both are reported.
    pub(crate) fn read(&self, file: &SpooledFile, ended: &[bool]) -> Opened {
        let bytes = match file.read(&self.disk, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.counters.removed(file);
                self.fail(0, format!("{:?} was deleted by somebody else", file.path()));
                return Opened::Nothing;
            }
            Err(error) if is_not_ours(&error) => return self.give_up(file, &error.to_string()),
            Err(error) if self.is_too_old(file) && self.keep_refused => {
                return self.give_up(file, &format!("it is too old, and cannot be read: {error}"));
            }
            Err(_) if self.is_too_old(file) => {
                self.expire(file, file.events as usize, Vec::new());
                return Opened::Nothing;
            }
            Err(error) => return Opened::Later(error),
        };
        let contents = match frame::decode(&bytes) {
            Ok(contents) => contents,
            Err(damaged) => return self.give_up(file, &damaged.to_string()),
        };
        if self.is_too_old(file) {
            let events = contents.events.iter().map(|(at, _)| *at);
            let left = events.filter(|at| !ended.get(*at).is_some_and(|ended| *ended));
            let left: Vec<_> = left.map(|at| Refusal { at, reason: DropReason::Expired, error: None }).collect();
            self.expire(file, left.len() + contents.unreadable.len(), left);
            return Opened::Nothing;
        }
        Opened::Contents(contents)
    }

    fn give_up(&self, file: &SpooledFile, why: &str) -> Opened {
        let message = format!("{:?} cannot be sent: {why}; it is set aside", file.path());
        self.lose(file.events as usize, DropReason::Invalid, message);
        self.end(Ended::new(file.clone(), Fate::Quarantine));
        Opened::Nothing
    }

    pub(crate) fn is_too_old(&self, file: &SpooledFile) -> bool {
        file.age() > self.max_age
    }

    /// Returns the time of the wall clock.
    fn now(&self) -> SystemTime {
        self.disk.now()
    }

    /// Lets go of the slot; nothing is written any more.
    pub(crate) fn close(&self) {
        *self.own_slot() = OwnSlot::Closed;
        let (files, events) = (self.counters.files.load(Relaxed), self.counters.events.load(Relaxed));
        if files > 0 {
            let (destination, directory) = (&self.name, &self.root);
            report::log(|| {
                tracing::info!(
                    target: "tracklane", %destination, ?directory, files, events,
                    "closed; these events stay on the disk, and the next start sends them"
                );
            });
        }
    }

    pub(crate) fn fail(&self, events: usize, message: String) {
        report::emit(&self.emitter, Failure::of_destination(self.name.clone(), message, events));
    }

    /// Reports events that will not be delivered.
    pub(crate) fn lose(&self, events: usize, reason: DropReason, message: String) {
        let mut failure = Failure::of_destination(self.name.clone(), message, events);
        failure.dropped = Some(reason);
        report::emit(&self.emitter, failure);
    }

    fn slots(&self) -> MutexGuard<'_, Vec<WeakSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own_slot(&self) -> MutexGuard<'_, OwnSlot> {
        self.own_slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the error is about the file, rather than about the disk.
fn is_not_ours(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge)
}
