//! The backlog in a directory, by the names of its files. It takes no lock and reads no file, so it can be asked beside
//! a running service.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::slot;

/// The files that wait in the directory of a spool, of any process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// Files that wait.
    pub files: u64,
    /// The events in them, as their names say.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them was written.
    pub oldest: Option<SystemTime>,
}

impl Backlog {
    /// Returns the backlog of this directory. A directory that does not exist has none.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be read. A file that ends meanwhile is not counted.
    pub fn of(directory: impl AsRef<Path>) -> io::Result<Self> {
        let (root, mut backlog) = (directory.as_ref(), Self::default());
        let numbers = match slot::numbers(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(backlog),
            numbers => numbers?,
        };
        for number in numbers {
            for (events, metadata) in slot::waiting(root, number)? {
                backlog.files += 1;
                backlog.events += u64::from(events);
                backlog.bytes += metadata.len();
                let written = metadata.modified().ok();
                backlog.oldest = backlog.oldest.into_iter().chain(written).min();
            }
        }
        Ok(backlog)
    }
}
