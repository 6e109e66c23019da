//! One file that is being written: it ends in `.part` until it is done.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use flate2::write::GzEncoder;

use crate::jsonl::{Compression, Sync};
use crate::template::PART;

/// Numbers that are tried for a file whose name is taken.
const MOST_NUMBERS: u32 = 1_000_000;

#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    part: PathBuf,
    /// The name that it takes when it is done, if that is free.
    path: PathBuf,
    bytes: u64,
    pub(crate) used: Instant,
}

impl OpenFile {
    /// Opens the file for `path`, and continues where an earlier process was cut off. Errors of files name their path.
    pub(crate) fn open(path: PathBuf, compression: Compression) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| with_path(parent, "cannot be created", &error))?;
        }
        Self::open_part(&path, compression).map_err(|error| with_path(&path, "cannot be written", &error))
    }

    fn open_part(path: &Path, compression: Compression) -> io::Result<Self> {
        for number in 0..MOST_NUMBERS {
            let part = with_ending(&numbered(path, number), PART);
            let file = OpenOptions::new().read(true).append(true).create(true).open(&part)?;
            match file.try_lock() {
                Ok(()) => {}
                // Another process writes it.
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The earlier owner may have finished it between opening and locking. Then the name belongs to another
            // file.
            if !part.exists() {
                continue;
            }
            let bytes = file.metadata()?.len();
            let mut open = Self { file, part, path: path.to_owned(), bytes, used: Instant::now() };
            open.end_last_line(compression)?;
            return Ok(open);
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "other processes write all files of this name"))
    }

    /// Ends a line that a crash has cut off, so that it spoils no other. What is compressed ends with its member.
    fn end_last_line(&mut self, compression: Compression) -> io::Result<()> {
        if self.bytes == 0 || compression != Compression::None {
            return Ok(());
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        if last != *b"\n" {
            self.file.write_all(b"\n")?;
            self.bytes += 1;
        }
        Ok(())
    }

    /// Appends lines, all or none of them.
    pub(crate) fn append(&mut self, lines: &[u8], compression: Compression, sync: Sync) -> io::Result<()> {
        let written = match compression {
            Compression::None => self.file.write_all(lines),
            Compression::Gzip => gzip(lines).and_then(|member| self.file.write_all(&member)),
        };
        let synced = written.and_then(|()| if sync == Sync::EachBatch { self.file.sync_data() } else { Ok(()) });
        match synced {
            Ok(()) => self.bytes = self.file.metadata()?.len(),
            // A half of a line would spoil the next one. If this fails, too, the next open mends it.
            Err(_) => drop(self.file.set_len(self.bytes)),
        }
        self.used = Instant::now();
        synced.map_err(|error| with_path(&self.part, "cannot be written", &error))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes its last name: the file is done. One without any line is taken away.
    pub(crate) fn finish(self, sync: Sync) -> io::Result<()> {
        self.take_last_name(sync).map_err(|error| with_path(&self.part, "cannot be finished", &error))
    }

    fn take_last_name(&self, sync: Sync) -> io::Result<()> {
        if self.bytes == 0 {
            return fs::remove_file(&self.part);
        }
        if sync != Sync::Never {
            self.file.sync_all()?;
        }
        for number in 0..MOST_NUMBERS {
            let path = numbered(&self.path, number);
            // A link fails where a file is, so that none is ever replaced.
            match fs::hard_link(&self.part, &path) {
                Ok(()) => return fs::remove_file(&self.part),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // Not every file system has links.
                Err(_) if !path.exists() => return fs::rename(&self.part, &path),
                Err(_) => {}
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "all names of this file are taken"))
    }
}

fn gzip(lines: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 4), flate2::Compression::default());
    encoder.write_all(lines)?;
    encoder.finish()
}

/// Returns `a.jsonl` unchanged, then `a.1.jsonl`, `a.2.jsonl`, … The endings `.jsonl.gz` stay together.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (name, gz) = name.strip_suffix(".gz").map_or((&*name, ""), |name| (name, ".gz"));
    let (stem, ending) =
        name.rsplit_once('.').map_or((name, String::new()), |(stem, ending)| (stem, format!(".{ending}")));
    path.with_file_name(format!("{stem}.{number}{ending}{gz}"))
}

/// The error of a file with its path, which those of the operating system lack.
pub(crate) fn with_path(path: &Path, problem: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{} {problem}: {error}", path.display()))
}

pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
