//! Dead letters: events that the destination refused for good, each with the reason. An operator sends them again or
//! drops them.
//!
//! ```text
//! directory/dead/0001764300000000.0.jsonl
//!   {"at":"2026-…","reason":"rejected","error":"HTTP status 400: …","event":{"type":"track","messageId":"…",…}}
//! ```
//!
//! Invariant: a file has its name once it is whole on the disk. One that is changed is replaced whole. What cannot be read
//! as a letter is left where it is.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracklane::event::Timestamp;

use crate::disk::Disk;
use crate::frame;
use crate::slot::{self, Slot};

const DIRECTORY: &str = "dead";
const LETTERS: &str = "jsonl";
const UNFINISHED: &str = "tmp";
/// Bytes of one file that are read at most.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Events that are put into one file of the spool when they are sent again.
const REPLAY_EVENTS: usize = 1_000;

/// An event that the destination never took, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// When it was given up, in RFC 3339.
    pub at: String,
    /// The reason, as [`DropReason::as_str`](tracklane::DropReason::as_str) has it, or another word.
    pub reason: String,
    /// The error of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The event, as it would have been sent.
    pub event: Box<RawValue>,
}

impl DeadLetter {
    /// A letter of now, with this JSON as the event. `None` if that is no JSON.
    #[must_use]
    pub fn new(event: &[u8], reason: &str, error: Option<String>) -> Option<Self> {
        let event = RawValue::from_string(str::from_utf8(event).ok()?.to_owned()).ok()?;
        Some(Self { at: Timestamp::from(SystemTime::now()).to_string(), reason: reason.to_owned(), error, event })
    }

    /// The `messageId` of the event, if it has one that is a string.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Id {
            message_id: Option<String>,
        }
        serde_json::from_str::<Id>(self.event.get()).ok()?.message_id
    }
}

/// The dead letters in the directory of a spool. They can be looked at, sent again and dropped while a service runs
/// there, and while none does.
///
/// ```
/// use tracklane_spool::DeadLetters;
///
/// let dead = DeadLetters::of("/var/lib/shop/no-spool-yet");
/// let mut count = 0;
/// dead.visit(|letter| {
///     println!("{} {:?}", letter.reason, letter.message_id());
///     count += 1;
/// })?;
/// assert_eq!(count, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeadLetters {
    root: PathBuf,
}

impl DeadLetters {
    /// Opens the dead letters of the spool in `directory`.
    pub fn of(directory: impl Into<PathBuf>) -> Self {
        Self { root: directory.into() }
    }

    /// Shows every letter, the oldest first.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn visit(&self, mut visit: impl FnMut(&DeadLetter)) -> io::Result<()> {
        for path in self.files()? {
            for line in lines(&read(&path)?) {
                let Ok(letter) = serde_json::from_slice(line) else { continue };
                visit(&letter);
            }
        }
        Ok(())
    }

    /// Keeps these letters; on the disk when this returns.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be written, or all letters together would have more than `max_bytes`.
    pub fn write(&self, letters: &[DeadLetter], max_bytes: u64) -> io::Result<()> {
        self.write_with(&Disk::default(), letters, max_bytes)
    }

    /// Drops the letters that `which` picks. Returns how many these were.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read or written. Letters that were dropped before are gone.
    pub fn remove(&self, mut which: impl FnMut(&DeadLetter) -> bool) -> io::Result<u64> {
        self.take(&mut which, |_| Ok(()))
    }

    /// Puts the letters that `which` selects back into the spool in front of `destination`. Returns their number. A
    /// service that runs there sends them within [`adopt_every`](crate::Spool::adopt_every), otherwise the next one
    /// does.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read or written. Each letter is then still here, or in the spool, or both.
    pub fn replay(&self, destination: &str, mut which: impl FnMut(&DeadLetter) -> bool) -> io::Result<u64> {
        let mut slot = None;
        self.take(&mut which, |letters| {
            let (slot, next) = match &mut slot {
                Some(slot) => slot,
                none => none.insert(free_slot(&self.root, destination)?),
            };
            for part in letters.chunks(REPLAY_EVENTS) {
                let events: Vec<&[u8]> = part.iter().map(|letter| letter.event.get().as_bytes()).collect();
                let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
                slot.write(&Disk::default(), *next, count, &frame::encode(events.into_iter()))?;
                *next += 1;
            }
            Ok(())
        })
    }

    pub(crate) fn write_with(&self, disk: &Disk, letters: &[DeadLetter], max_bytes: u64) -> io::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut text, letter)?;
            text.push(b'\n');
        }
        let (kept, directory) = (self.bytes()?, self.directory());
        if kept.saturating_add(text.len() as u64) > max_bytes {
            let problem = format!("the dead letters in {directory:?} have {kept} bytes; send them again or drop them");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, problem));
        }
        if !directory.exists() {
            if !self.root.exists() {
                fs::create_dir_all(&self.root)?;
            }
            disk.private_directory(&directory)?;
            disk.sync_directory(&self.root)?;
        }
        let path = free_name(&directory)?;
        replace(disk, &path, &text)
    }

    /// Removes the letters that `which` selects, once `keep` has processed them.
    fn take(
        &self,
        which: &mut dyn FnMut(&DeadLetter) -> bool,
        mut keep: impl FnMut(&[DeadLetter]) -> io::Result<()>,
    ) -> io::Result<u64> {
        let mut count = 0;
        for path in self.files()? {
            let (mut left, mut taken) = (Vec::new(), Vec::new());
            for line in lines(&read(&path)?) {
                match serde_json::from_slice::<DeadLetter>(line) {
                    Ok(letter) if which(&letter) => taken.push(letter),
                    _ => left.extend([line, b"\n"].concat()),
                }
            }
            if taken.is_empty() {
                continue;
            }
            keep(&taken)?;
            count += taken.len() as u64;
            if left.is_empty() { fs::remove_file(&path)? } else { replace(&Disk::default(), &path, &left)? }
        }
        Ok(count)
    }

    fn directory(&self) -> PathBuf {
        self.root.join(DIRECTORY)
    }

    /// The files, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.directory()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            files.extend(Some(entry?.path()).filter(|path| path.extension() == Some(OsStr::new(LETTERS))));
        }
        files.sort();
        Ok(files)
    }

    fn bytes(&self) -> io::Result<u64> {
        let sizes = self.files()?.into_iter().filter_map(|path| fs::symlink_metadata(path).ok());
        Ok(sizes.map(|metadata| slot::in_blocks(metadata.len())).sum())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match Disk::default().read(path, MAX_FILE_BYTES) {
        // Another process has dropped it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// A name by the time, so that names are in the order of files.
fn free_name(directory: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    let names = (0..1_000).map(|n| directory.join(format!("{now:016}.{n}.{LETTERS}")));
    let mut free = names.filter(|path| fs::symlink_metadata(path).is_err());
    free.next().ok_or_else(|| io::Error::new(io::ErrorKind::AlreadyExists, "too many dead letters at one time"))
}

/// Writes a file whole or not at all.
fn replace(disk: &Disk, path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let _ = fs::remove_file(&unfinished);
    disk.write_new(&unfinished, text)?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), |directory| disk.sync_directory(directory))
}

/// A slot that no process has, for the destination, and the number of its next file.
fn free_slot(root: &Path, destination: &str) -> io::Result<(Slot, u64)> {
    let disk = Disk::default();
    for number in 0..slot::MAX_SLOTS {
        let Some(slot) = Slot::lock(&disk, root, number)? else { continue };
        if slot.destination()?.is_some_and(|name| name != destination) {
            continue;
        }
        slot.keep_for(destination)?;
        disk.sync_directory(root)?;
        let next = slot.look_through(disk.now())?.next;
        return Ok((slot, next));
    }
    Err(io::Error::other("every slot is in use"))
}
