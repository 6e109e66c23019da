//! The counts of a spool.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::slot::SpooledFile;

/// The counts since the [`Spool`](crate::Spool) was made, and the files on the disk now.
///
/// Waiting files and the outcomes of events from the disk are counted over all files of this process: those that it
/// wrote, and those that it found or adopted. So after a restart there can be more `delivered` than `spooled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// Files that wait on the disk, as far as this process answers for them.
    pub files: u64,
    /// The events in them, by their names. A file counts whole until the last of its events has its outcome. Files of
    /// versions without such names count none.
    pub events: u64,
    /// Their bytes, each file in whole blocks of 4,096.
    pub bytes: u64,
    /// Events that this process wrote to the disk.
    pub spooled: u64,
    /// Events from the disk that the destination has.
    pub delivered: u64,
    /// Events from the disk that the destination refused for good.
    pub refused: u64,
    /// Events from the disk that the destination has no use for, or that one of its plugins dropped on purpose.
    pub skipped: u64,
    /// Events from the disk that became too old.
    pub expired: u64,
    /// Events that did not go to the disk, because it could not be written or was full, but to the destination from
    /// memory. Those that could be written after all are among the `spooled`, too.
    pub in_memory: u64,
    /// Files that were set aside as `.corrupt`.
    pub quarantined: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) files: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) spooled: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) in_memory: AtomicU64,
    pub(crate) quarantined: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> SpoolStats {
        SpoolStats {
            files: self.files.load(Relaxed),
            events: self.events.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            spooled: self.spooled.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            refused: self.refused.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            expired: self.expired.load(Relaxed),
            in_memory: self.in_memory.load(Relaxed),
            quarantined: self.quarantined.load(Relaxed),
        }
    }

    /// A file waits on the disk.
    pub(crate) fn appeared(&self, file: &SpooledFile) {
        self.files.fetch_add(1, Relaxed);
        self.events.fetch_add(file.events.into(), Relaxed);
        self.bytes.fetch_add(file.bytes, Relaxed);
    }

    /// A file waits no more.
    pub(crate) fn removed(&self, file: &SpooledFile) {
        self.files.fetch_sub(1, Relaxed);
        self.events.fetch_sub(file.events.into(), Relaxed);
        self.bytes.fetch_sub(file.bytes, Relaxed);
    }
}

/// Adds to one of the counts.
pub(crate) fn count(counter: &AtomicU64, events: usize) {
    counter.fetch_add(events as u64, Relaxed);
}
