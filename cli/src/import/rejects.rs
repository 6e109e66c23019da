//! Events that were not taken, with their line and the reason: a file that can be mended and replayed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The file; made at the first of them.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    count: u64,
}

impl Rejects {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, file: None, count: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Adds one, which is written when this returns.
    pub(crate) fn add(&mut self, line: u64, rule: &str, message: &str, text: &str) -> Result<(), String> {
        self.count += 1;
        let event: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut row = json!({ "line": line, "rule": rule, "message": message, "event": event }).to_string();
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
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(row))
    }
}
