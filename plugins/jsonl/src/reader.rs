//! Reads files of events back.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tracklane::Event;

use crate::file::with_path;

/// Ids that are remembered to drop repeats.
const WINDOW: usize = 100_000;

/// Reads the events of a file, or of all files below a directory in the order of their names, including `.part` and
/// `.gz`. An event that repeats one of the last 100,000 is left out, because a batch that failed half-way is written
/// twice.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_jsonl::Reader;
///
/// let analytics = Analytics::new("WRITE_KEY")?;
/// for event in Reader::open("/var/lib/events")? {
///     match event {
///         Ok(event) => analytics.send(event)?,
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader {
    files: VecDeque<PathBuf>,
    current: Option<Current>,
    seen: HashSet<String>,
    order: VecDeque<String>,
}

struct Current {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    number: u64,
}

/// The error of a line or a file. The reader continues behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The line is no event: a crash may have cut it off.
    #[error("{}, line {line}: is no event", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The error.
        source: tracklane::BoxError,
    },
    /// The rest of the file cannot be read.
    #[error("{} cannot be read behind line {line}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The last line that was read.
        line: u64,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl Reader {
    /// Opens a file or a directory.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be listed, or there is nothing at the path. The error names the path.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut files = Vec::new();
        list(path.as_ref(), &mut files)?;
        files.sort();
        Ok(Self { files: files.into(), current: None, seen: HashSet::new(), order: VecDeque::new() })
    }

    /// Returns whether the id comes for the first time.
    fn is_new(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return true;
        }
        if !self.seen.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

impl Iterator for Reader {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => {
                    let path = self.files.pop_front()?;
                    match Current::open(path.clone()) {
                        Ok(current) => current,
                        Err(source) => return Some(Err(ReadError::File { path, line: 0, source })),
                    }
                }
            };
            match current.next() {
                None => {}
                Some(Err(error)) => {
                    // Behind a line there may be others; behind an error of the file there are none.
                    self.current = matches!(error, ReadError::Line { .. }).then_some(current);
                    return Some(Err(error));
                }
                Some(Ok(event)) => {
                    self.current = Some(current);
                    if self.is_new(&event.message_id()) {
                        return Some(Ok(event));
                    }
                }
            }
        }
    }
}

impl Current {
    fn open(path: PathBuf) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(&path)?);
        let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let lines: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        Ok(Self { path, lines, number: 0 })
    }

    fn next(&mut self) -> Option<Result<Event, ReadError>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            // An event is at most 32 KiB: a longer line is none, and is not taken into memory whole.
            let read = self.lines.by_ref().take(1 << 20).read_until(b'\n', &mut line);
            let path = || self.path.clone();
            match read {
                Err(source) => return Some(Err(ReadError::File { path: path(), line: self.number, source })),
                Ok(0) => return None,
                Ok(_) => self.number += 1,
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let event = serde_json::from_slice::<Event>(text);
            let number = self.number;
            return Some(event.map_err(|error| ReadError::Line { path: path(), line: number, source: error.into() }));
        }
    }
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let unreadable = |error| with_path(path, "cannot be read", &error);
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    fs::read_dir(path).map_err(unreadable)?.try_for_each(|entry| list(&entry.map_err(unreadable)?.path(), files))
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("files", &self.files).finish_non_exhaustive()
    }
}
