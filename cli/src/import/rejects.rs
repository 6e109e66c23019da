//! Events that were not taken, with their line and the reason: a file that can be mended and replayed.
//!
//! Rows are added in the order of the lines. An import that goes on after a kill meets lines again whose rows are there
//! already, and adds none of these twice.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The file; made at the first of them.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    /// The length of the file in bytes.
    length: u64,
    count: u64,
    /// The rows behind the position of the import that goes on, as hashes.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl Rejects {
    /// For an import that had written `length` bytes at its position.
    pub(crate) fn open(path: PathBuf, length: Option<u64>) -> Result<Self, String> {
        let mut rejects =
            Self { path, file: None, length: 0, count: 0, known: HashSet::new(), hasher: RandomState::new() };
        let unreadable = |error: &std::io::Error| format!("cannot read {}: {error}", rejects.path.display());
        match fs::metadata(&rejects.path) {
            Ok(metadata) => rejects.length = metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(rejects),
            Err(error) => return Err(unreadable(&error)),
        }
        if let Some(position) = length.filter(|position| *position < rejects.length) {
            let known = rejects.rows_behind(position).map_err(|error| unreadable(&error))?;
            rejects.known = known;
        }
        Ok(rejects)
    }

    fn rows_behind(&self, position: u64) -> std::io::Result<HashSet<u64>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(position))?;
        let rows = BufReader::new(file).split(b'\n');
        rows.map(|row| row.map(|row| self.hasher.hash_one(row))).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Adds one, which is written when this returns.
    pub(crate) fn add(&mut self, line: u64, rule: &str, message: &str, text: &str) -> Result<(), String> {
        self.count += 1;
        let event: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut row = json!({ "line": line, "rule": rule, "message": message, "event": event }).to_string();
        if self.known.remove(&self.hasher.hash_one(row.as_bytes().to_vec())) {
            return Ok(());
        }
        row.push('\n');
        self.write(row.as_bytes()).map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }

    fn write(&mut self, row: &[u8]) -> std::io::Result<()> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            // Events are personal data.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            self.file = Some(options.open(&self.path)?);
        }
        self.length += row.len() as u64;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(row))
    }
}
