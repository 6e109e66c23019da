//! Events that were not taken, with their line and the reason: a file that can be mended and replayed.
//!
//! Rows are added in the order of the lines. An import that goes on after a kill meets lines again whose rows are there
//! already, and adds none of these twice.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;

/// The file; made at the first of them.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    /// The length of the file in bytes.
    length: u64,
    /// What it was at the position of the import that goes on.
    resumed_at: u64,
    count: u64,
    /// The rows behind that, as hashes, until their lines come again.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl Rejects {
    /// For an import that had written `length` bytes at its position.
    pub(crate) fn open(path: PathBuf, length: Option<u64>) -> Result<Self, String> {
        let (known, hasher) = (HashSet::new(), RandomState::new());
        let mut rejects = Self { path, file: None, length: 0, resumed_at: 0, count: 0, known, hasher };
        let unreadable = |error: &std::io::Error| format!("cannot read {}: {error}", rejects.path.display());
        match fs::metadata(&rejects.path) {
            Ok(metadata) => rejects.length = metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(rejects),
            Err(error) => return Err(unreadable(&error)),
        }
        if let Some(position) = length.filter(|position| *position < rejects.length) {
            let known = rejects.rows_behind(position).map_err(|error| unreadable(&error))?;
            (rejects.known, rejects.resumed_at) = (known, position);
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

    /// Bytes of the file behind which the rows of all lines are that are not done.
    pub(crate) fn done(&self) -> u64 {
        if self.known.is_empty() { self.length } else { self.resumed_at }
    }

    /// Adds one, which is written when this returns.
    pub(crate) fn add(&mut self, line: u64, rule: &str, message: &str, text: &str) -> Result<(), String> {
        self.count += 1;
        let mut row = row(line, rule, message, text).map_err(|error| error.to_string())?;
        if self.known.remove(&self.hasher.hash_one(row.as_bytes())) {
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

/// A rejected event, or the text that is none, on a line of its own. Numbers keep all of their digits.
fn row(line: u64, rule: &str, message: &str, original: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Row<'a> {
        event: &'a RawValue,
        line: u64,
        message: &'a str,
        rule: &'a str,
    }
    // Outside of strings, which have none, the end of a line is like any space.
    let text = original.replace(['\n', '\r'], " ");
    let event = RawValue::from_string(text).or_else(|_| serde_json::value::to_raw_value(original))?;
    serde_json::to_string(&Row { event: &event, line, message, rule })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Kills an import again and again, each time after the next of these lines.
    #[test]
    fn rows_that_are_there_already_are_not_added_however_often_an_import_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejected.jsonl");
        let open = |done: Option<u64>| Rejects::open(path.clone(), done).unwrap();
        let reject = |rejects: &mut Rejects, lines: std::ops::RangeInclusive<u64>| {
            lines.for_each(|line| rejects.add(line, "invalid", "wrong", "nonsense").unwrap());
        };
        let mut first = open(None);
        reject(&mut first, 1..=2);
        let done = first.done();
        reject(&mut first, 3..=9);
        let mut second = open(Some(done));
        reject(&mut second, 3..=4);
        let done = second.done();
        let mut third = open(Some(done));
        reject(&mut third, 5..=10);
        let done = third.done();
        reject(&mut third, 11..=12);
        let mut fourth = open(Some(done));
        reject(&mut fourth, 11..=13);
        assert_eq!(fourth.count(), 3, "each counts as rejected in its run");
        let rows = fs::read_to_string(&path).unwrap();
        let line = |row: &str| serde_json::from_str::<Value>(row).unwrap()["line"].as_u64().unwrap();
        assert_eq!(rows.lines().map(line).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
    }
}
