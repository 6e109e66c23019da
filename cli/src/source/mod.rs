//! Events in files: JSON Lines, CSV, and the files of a spool, each plain or packed by gzip.

pub(crate) mod assign;
mod bounded;
mod complete;
mod csv_rows;
mod identity;
mod lines;
mod template;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use serde_json::value::RawValue;

pub(crate) use complete::Completion;
pub(crate) use csv_rows::{CsvRows, Mapping};
pub(crate) use identity::Identity;
pub(crate) use lines::Lines;

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;
/// The first bytes of what gzip packed.
const GZIP: &[u8] = b"\x1f\x8b";
/// The first bytes of some texts in UTF-8.
const UTF_8: &[u8] = b"\xef\xbb\xbf";

/// One line of a file.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line, from 1.
    pub(crate) line: u64,
    /// JSON that should be an event. Without `problem` nobody has looked into it.
    pub(crate) text: Vec<u8>,
    /// The reason why there is no event, if that is known. Then the text is that of the file.
    pub(crate) problem: Option<String>,
}

impl Row {
    /// The JSON of the event: the line, or what is in it if it is that of a rejected event.
    pub(crate) fn json(&self) -> Result<&str, String> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => json(complete::unwrapped(&self.text)),
        }
    }
}

/// The text, if it is JSON.
fn json(text: &[u8]) -> Result<&str, String> {
    serde_json::from_slice::<&RawValue>(text).map(RawValue::get).map_err(|error| format!("no JSON: {error}"))
}

/// Opens a file, or standard input for `-`, and unpacks what is compressed.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    unpacked(path, stored(path)?)
}

/// Opens a file as it is stored.
pub(crate) fn stored(path: &Path) -> Result<Box<dyn Read>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    // Opening a folder is not an error, but reading it is.
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(format!("cannot read {}: it is a folder", path.display()));
    }
    Ok(Box::new(file))
}

/// The text in a file: what gzip packed, without the mark that some programs put in front of UTF-8.
pub(crate) fn unpacked(path: &Path, stored: Box<dyn Read>) -> Result<Box<dyn Read>, String> {
    let mut reader = BufReader::with_capacity(BUFFER, stored);
    if !begins_with(&mut reader, GZIP).map_err(|error| unreadable(path, &error))? {
        return without_mark(path, reader);
    }
    without_mark(path, BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))
}

fn without_mark<R: Read + 'static>(path: &Path, mut reader: BufReader<R>) -> Result<Box<dyn Read>, String> {
    let mut begins = |mark: &[u8]| begins_with(&mut reader, mark).map_err(|error| unreadable(path, &error));
    if begins(b"\xff\xfe")? || begins(b"\xfe\xff")? {
        return Err(format!("cannot read {}: it is UTF-16. Save it as UTF-8", path.display()));
    }
    if begins(UTF_8)? {
        reader.consume(UTF_8.len());
    }
    Ok(Box::new(reader))
}

fn begins_with(reader: &mut impl BufRead, mark: &[u8]) -> io::Result<bool> {
    Ok(reader.fill_buf()?.starts_with(mark))
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// The file itself, or those of a spool in a folder, the oldest first. A spool that has nothing to send leaves a file `lock`;
/// a folder without that and without events is none.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut is_spool) = (Vec::new(), false);
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            let has_events = path.extension().is_some_and(|end| end == "batch" || end == "corrupt");
            is_spool |= has_events || path.file_name().is_some_and(|name| name == "lock");
            if path.is_dir() {
                folders.push(path);
            } else if has_events {
                found.push(path);
            }
        }
    }
    if !is_spool {
        let expected =
            "a spool has files *.batch or a file lock in numbered folders. Name that folder, or the files themselves";
        return Err(format!("{} is no folder of a spool: {expected}", path.display()));
    }
    found.sort();
    Ok(found)
}
