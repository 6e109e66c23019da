//! The position of an import, beside the file.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::source::Identity;

const EVERY: Duration = Duration::from_secs(1);

/// The last line before which all are done.
#[derive(Debug)]
pub(crate) struct Position {
    path: PathBuf,
    saved: Saved,
    last_save: Instant,
    /// Whether the file holds a position of this import.
    is_saved: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    schema: u32,
    line: u64,
    identity: Identity,
    mapping: String,
    /// Bytes of the file of rejected events behind which the rows of all later lines are.
    #[serde(default)]
    rejects: u64,
}

impl Position {
    pub(crate) fn new(path: PathBuf, identity: Identity, mapping: String) -> Self {
        let saved = Saved { schema: 1, line: 0, identity, mapping, rejects: 0 };
        Self { path, saved, last_save: Instant::now(), is_saved: false }
    }

    /// Reads where an import stopped, if one did.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let saved = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is damaged ({error}): delete it to begin again", path.display()))?;
        Ok(Some(Self { path: path.to_owned(), saved, last_save: Instant::now(), is_saved: true }))
    }

    pub(crate) fn done(&self) -> u64 {
        self.saved.line
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.saved.identity
    }

    pub(crate) fn is_for(&self, mapping: &str) -> bool {
        self.saved.mapping == mapping
    }

    /// The same of the import that goes on, if this is one.
    pub(crate) fn rejects(&self) -> Option<u64> {
        self.is_saved.then_some(self.saved.rejects)
    }

    /// A line is rejected, and those before it are done. Without a position, an import that begins again would reject it
    /// once more.
    pub(crate) fn before_reject(&mut self, rejects: u64) -> Result<(), String> {
        if self.is_saved {
            return Ok(());
        }
        self.saved.rejects = rejects;
        self.save()
    }

    /// All up to this line are done. Written once a second.
    pub(crate) fn advance(&mut self, line: u64, rejects: u64) -> Result<(), String> {
        self.saved.line = self.saved.line.max(line);
        self.saved.rejects = rejects;
        if self.last_save.elapsed() < EVERY { Ok(()) } else { self.save() }
    }

    /// Writes it whole, or leaves the old one.
    pub(crate) fn save(&mut self) -> Result<(), String> {
        self.last_save = Instant::now();
        let mut fresh = self.path.clone().into_os_string();
        fresh.push(".new");
        let write = || {
            let mut file = File::create(&fresh)?;
            file.write_all(&serde_json::to_vec(&self.saved)?)?;
            file.sync_data()?;
            fs::rename(&fresh, &self.path)
        };
        write().map_err(|error: std::io::Error| format!("cannot write {}: {error}", self.path.display()))?;
        self.is_saved = true;
        Ok(())
    }

    /// The import is done.
    pub(crate) fn remove(&self) -> Result<(), String> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("cannot delete {}: {error}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}
