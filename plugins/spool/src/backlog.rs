//! What waits in a directory, as its names say. Asked without a lock and without reading a file, so it can be asked
//! beside a service that runs.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::slot;

/// What waits in the directory of a spool, whichever process it belongs to.
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
    /// Of this directory; one that does not exist has none.
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
