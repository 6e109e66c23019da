//! A slot: one subdirectory that belongs to the process that holds its lock, and the files in it.
//!
//! The lock is the operating system's, on the file `lock`. It ends with the process, however that ends, and with its
//! forks without `exec`. So the slot of a dead process is unlocked, and the process that locks it is responsible for
//! its files.
//!
//! The same file holds the name of the destination that the events are for, from before the first of them. Slots of
//! the first format have no name.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::age::{Age, Jump, TOLERANCE, set_written};
use crate::disk::{Disk, has_name};

const LOCK: &str = "lock";
const BATCH: &str = "batch";
const UNFINISHED: &str = "tmp";
const ASIDE: &str = "corrupt";

/// Bytes of the file `lock` that are read: more than any destination's name has.
const MAX_NAME_BYTES: u64 = 4096;

/// The largest number of slots in use at once.
pub(crate) const MAX_SLOTS: u32 = 10_000;
/// The size of a file on the disk is a multiple of this, on most file systems.
const BLOCK: u64 = 4096;

/// A slot that this process has locked; unlocked when the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    locked: Arc<Locked>,
}

/// A slot that belongs to this process as long as another handle keeps it.
#[derive(Debug)]
pub(crate) struct WeakSlot(Weak<Locked>);

impl WeakSlot {
    pub(crate) fn upgrade(&self) -> Option<Slot> {
        self.0.upgrade().map(|locked| Slot { locked })
    }
}

#[derive(Debug)]
struct Locked {
    directory: PathBuf,
    lock: File,
}

/// A file of events. It keeps its slot locked. Small, for there may be a hundred thousand.
#[derive(Clone, Debug)]
pub(crate) struct SpooledFile {
    slot: Slot,
    number: u64,
    /// The number of events by its name; 0 if the name has none.
    pub(crate) events: u32,
    /// Its size on the disk.
    pub(crate) bytes: u64,
    age: Age,
}

impl SpooledFile {
    /// The file's bytes.
    pub(crate) fn read(&self, disk: &Disk, max: u64) -> io::Result<Vec<u8>> {
        self.slot.check()?;
        disk.read(&self.path(), max)
    }

    pub(crate) fn delete(&self, disk: &Disk) -> io::Result<()> {
        self.slot.check()?;
        disk.delete(&self.path())
    }

    /// Leaves the file to an operator.
    pub(crate) fn quarantine(&self) -> io::Result<()> {
        self.slot.check()?;
        quarantine(&self.path()).map(drop)
    }

    pub(crate) fn age(&self) -> Duration {
        self.age.now()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.slot.directory().join(batch_name(self.number, self.events))
    }
}

/// Returns the size of a file of `bytes` on the disk.
pub(crate) fn in_blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// `00000000000000000042.100.batch`: with how many events there are, so that they can be counted without being read.
/// Names of the first format end after the number.
fn batch_name(number: u64, events: u32) -> String {
    match events {
        0 => format!("{number:020}.{BATCH}"),
        _ => format!("{number:020}.{events}.{BATCH}"),
    }
}

/// The files of a slot.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The oldest first.
    pub(crate) files: Vec<SpooledFile>,
    /// Files that cannot be the spool's.
    pub(crate) foreign: Vec<PathBuf>,
    /// The number of the next file.
    pub(crate) next: u64,
}

/// The numbers of the slots below `root`.
pub(crate) fn numbers(root: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok().filter(|n| slot_name(*n) == name)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn slot_name(number: u32) -> String {
    format!("{number:04}")
}

impl Slot {
    pub(crate) fn directory(&self) -> &Path {
        &self.locked.directory
    }

    /// Returns whether the slot is there and still belongs to this process. If it was deleted or moved, its name may be
    /// another process's.
    pub(crate) fn is_held(&self) -> bool {
        has_name(&self.locked.lock, &self.directory().join(LOCK))
    }

    fn check(&self) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the slot was deleted or moved by somebody else");
        if self.is_held() { Ok(()) } else { Err(gone()) }
    }

    /// Locks a slot; `None` if another process has it.
    pub(crate) fn lock(disk: &Disk, root: &Path, number: u32) -> io::Result<Option<Self>> {
        let directory = root.join(slot_name(number));
        disk.private_directory(&directory)?;
        let lock = disk.open_lock(&directory.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { locked: Arc::new(Locked { directory, lock }) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The destination that the events are for, if it is known.
    pub(crate) fn destination(&self) -> io::Result<Option<String>> {
        let (mut lock, mut name) = (&self.locked.lock, Vec::new());
        lock.rewind()?;
        if lock.take(MAX_NAME_BYTES + 1).read_to_end(&mut name)? as u64 > MAX_NAME_BYTES {
            let problem = format!("its file {LOCK:?} has more than {MAX_NAME_BYTES} bytes, and is none of the spool's");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        if name.is_empty() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned()))
    }

    /// Records the destination of the events, if it is not known.
    pub(crate) fn keep_for(&self, destination: &str) -> io::Result<()> {
        let mut lock = &self.locked.lock;
        if lock.metadata()?.len() > 0 {
            return Ok(());
        }
        if destination.len() as u64 >= MAX_NAME_BYTES {
            let problem = format!("the destination's name has more than {MAX_NAME_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        lock.write_all(format!("{destination}\n").as_bytes())?;
        lock.sync_all()
    }

    /// Returns whether a slot that may belong to another process has files to send.
    pub(crate) fn has_files(root: &Path, number: u32) -> bool {
        let Ok(entries) = fs::read_dir(root.join(slot_name(number))) else { return false };
        entries.flatten().any(|entry| Path::new(&entry.file_name()).extension() == Some(OsStr::new(BATCH)))
    }

    /// Reads the slot, and deletes files that were not finished and so never acknowledged. `now` is the time of the
    /// wall clock. If the slot's times are far from it, they are moved there, so that the files keep their ages.
    pub(crate) fn look_through(&self, now: SystemTime) -> io::Result<Found> {
        let mut found = Found::default();
        let mut waiting = Vec::new();
        let mut newest = self.locked.lock.metadata()?.modified()?;
        for entry in fs::read_dir(self.directory())? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            let number = number(&path);
            found.next = found.next.max(number.map_or(0, |number| number.saturating_add(1)));
            let extension = path.extension().and_then(OsStr::to_str);
            if name == LOCK || extension == Some(ASIDE) {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let events = events(&path);
            let is_ours = |number| metadata.is_file() && name.to_str() == Some(&batch_name(number, events));
            match (number, extension) {
                (Some(number), Some(BATCH)) if is_ours(number) => {
                    let written = metadata.modified()?;
                    newest = newest.max(written);
                    waiting.push((number, events, in_blocks(metadata.len()), written));
                }
                // If it stays, it is deleted the next time.
                (Some(_), Some(UNFINISHED)) if metadata.is_file() => drop(fs::remove_file(&path)),
                _ => found.foreign.push(path),
            }
        }
        let gap = now.duration_since(newest).unwrap_or_else(|future| future.duration());
        for (number, events, bytes, written) in waiting {
            let before = newest.duration_since(written).unwrap_or_default();
            let file = SpooledFile { slot: self.clone(), number, events, bytes, age: Age::of(before) };
            if gap > TOLERANCE
                && let Some(written) = now.checked_sub(before)
            {
                // If its time stays, it may expire too early after another start.
                let _ = set_written(&file.path(), written);
            }
            found.files.push(file);
        }
        found.files.sort_unstable_by_key(|file| file.number);
        self.is_at_work(now);
        Ok(found)
    }

    /// Has the slot say that a spool worked here at `now`.
    pub(crate) fn is_at_work(&self, now: SystemTime) {
        // If that fails, the time until it succeeds does not count.
        let _ = self.locked.lock.set_modified(now);
    }

    /// Moves the times of waiting files with the wall clock, which was moved to `now`.
    pub(crate) fn follow(&self, jump: Jump, now: SystemTime) -> io::Result<()> {
        for entry in fs::read_dir(self.directory())? {
            let path = entry?.path();
            let metadata = fs::symlink_metadata(&path)?;
            if !metadata.is_file() || path.extension() != Some(OsStr::new(BATCH)) {
                continue;
            }
            if let Some(written) = jump.follow(metadata.modified()?, now) {
                set_written(&path, written)?;
            }
        }
        Ok(())
    }

    pub(crate) fn downgrade(&self) -> WeakSlot {
        WeakSlot(Arc::downgrade(&self.locked))
    }

    /// Writes a file whole or not at all: first under another name, then renamed. It is on the disk when this returns.
    ///
    /// It never replaces a file, even if another process writes to the slot, too: the process that makes the first name
    /// also has the second, and checks that it is free.
    pub(crate) fn write(&self, disk: &Disk, number: u64, events: u32, bytes: &[u8]) -> io::Result<SpooledFile> {
        let path = self.directory().join(batch_name(number, events));
        let unfinished = path.with_extension(UNFINISHED);
        disk.write_new(&unfinished, bytes)?;
        if let Err(error) = rename_to_free(&unfinished, &path) {
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        if let Err(error) = disk.sync_directory(self.directory()) {
            // The events go another way now; a file that cannot be deleted either is sent again, with the same ids.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let (bytes, age) = (in_blocks(bytes.len() as u64), Age::of(Duration::ZERO));
        Ok(SpooledFile { slot: self.clone(), number, events, bytes, age })
    }
}

fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name, which is not replaced"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// The number in a name such as `00000000000000000007.100.batch`. The first of the twenty digits of ours is 0: so many
/// files are never written, and there is always a next number.
fn number(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let digits = stem.split('.').next()?;
    if digits.len() == 20 && digits.starts_with('0') { digits.parse().ok() } else { None }
}

/// Returns how many events a name says that its file holds.
fn events(path: &Path) -> u32 {
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    stem.split('.').nth(1).and_then(|events| events.parse().ok()).unwrap_or_default()
}

/// Renames a file that cannot be sent, so that only an operator looks at it. Returns the new name.
pub(crate) fn quarantine(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let candidates = (0_u32..1000).map(|n| match n {
        0 => path.with_file_name(format!("{name}.{ASIDE}")),
        n => path.with_file_name(format!("{name}.{n}.{ASIDE}")),
    });
    let mut free = candidates.filter(|aside| fs::symlink_metadata(aside).is_err());
    let aside = free.next().ok_or_else(|| io::Error::new(io::ErrorKind::AlreadyExists, "too many of that name"))?;
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Returns the files that wait in a slot: the number of events of each by its name, and its metadata.
pub(crate) fn waiting(root: &Path, number: u32) -> io::Result<Vec<(u32, fs::Metadata)>> {
    let mut waiting = Vec::new();
    for entry in fs::read_dir(root.join(slot_name(number)))? {
        let path = entry?.path();
        if path.extension() != Some(OsStr::new(BATCH)) {
            continue;
        }
        // It may have gone meanwhile.
        waiting.extend(fs::symlink_metadata(&path).ok().map(|metadata| (events(&path), metadata)));
    }
    Ok(waiting)
}
