//! The layout of the directory of the log.
//!
//! ```text
//! directory/pipelines/main/Segment.io/0000/…   what waits for a destination: a spool
//! directory/pipelines/main/Segment.io/dead/…   what it refused
//! directory/pipelines/main/jetstream/0000/…    what waits for JetStream, where that is the log
//! directory/rejected/web/dead/…                what a source sent that was no event
//! ```

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use tracklane_spool::{Backlog, DeadLetters};

use crate::config::{self, ConfigError};

const PIPELINES: &str = "pipelines";
const REJECTED: &str = "rejected";

/// The folders of a gateway, found without it.
#[derive(Clone, Debug)]
pub struct Layout {
    directory: PathBuf,
}

/// A place with dead letters: in front of a destination, or of a source whose events were rejected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadStore {
    /// `main/Segment.io`, or `rejected/web`.
    pub name: String,
    /// The destination that would get them; `None` for what was rejected.
    pub destination: Option<String>,
    directory: PathBuf,
}

impl Layout {
    /// That of the gateway with this configuration file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used.
    pub fn of(config: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Ok(Self::new(config::read(config.as_ref())?.config.log.directory().to_owned()))
    }

    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The spool in front of a destination.
    pub(crate) fn spool(&self, pipeline: &str, destination: &str) -> PathBuf {
        self.directory.join(PIPELINES).join(pipeline).join(encoded(destination))
    }

    /// Returns the folder of a source's requests that were not events.
    pub(crate) fn rejected(&self, source: &str) -> PathBuf {
        self.directory.join(REJECTED).join(source)
    }

    /// Every place, those of pipelines and sources included that the configuration no longer has.
    ///
    /// # Errors
    ///
    /// Returns an error if a folder cannot be read.
    pub fn stores(&self) -> io::Result<Vec<DeadStore>> {
        let mut stores = Vec::new();
        for pipeline in folders(&self.directory.join(PIPELINES))? {
            for folder in folders(&self.directory.join(PIPELINES).join(&pipeline))? {
                let destination = decoded(&folder);
                let directory = self.directory.join(PIPELINES).join(&pipeline).join(&folder);
                let name = format!("{pipeline}/{destination}");
                stores.push(DeadStore { name, destination: Some(destination), directory });
            }
        }
        for source in folders(&self.directory.join(REJECTED))? {
            let directory = self.rejected(&source);
            stores.push(DeadStore { name: format!("{REJECTED}/{source}"), destination: None, directory });
        }
        Ok(stores)
    }
}

impl DeadStore {
    /// The letters.
    pub fn letters(&self) -> DeadLetters {
        DeadLetters::of(&self.directory)
    }

    /// Returns the backlog there.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read.
    pub fn backlog(&self) -> io::Result<Backlog> {
        Backlog::of(&self.directory)
    }
}

fn folders(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

/// A destination's name as that of a folder: letters, digits, `-`, `_` and inner dots as they are.
fn encoded(name: &str) -> String {
    let mut folder = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0) {
            folder.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(folder, "%{byte:02X}");
        }
    }
    folder
}

fn decoded(folder: &str) -> String {
    let mut parts = folder.split('%');
    let mut name = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        name.extend(u8::from_str_radix(code, 16));
        name.extend(rest.bytes());
    }
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_destination_is_a_folder_and_back() {
        for (name, folder) in [
            ("Segment.io", "Segment.io"),
            ("Segment (audit)", "Segment%20%28audit%29"),
            ("..", "%2E."),
            ("a/b%", "a%2Fb%25"),
            ("größe", "gr%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(encoded(name), folder);
            assert_eq!(decoded(folder), name);
        }
    }
}
