//! Ids for events that have none, the same at each reading of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes from the beginning of a file by which it is known.
const HEAD: u64 = 64 << 10;

/// The data that identifies a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    head: Uuid,
    /// The length of the beginning in bytes.
    bytes: u64,
}

impl Identity {
    pub(crate) fn of(path: &Path) -> Result<Self, String> {
        Self::of_head(path, HEAD)
    }

    /// Returns whether the file still begins as it did, though it may have grown.
    pub(crate) fn is_still(&self, path: &Path) -> Result<bool, String> {
        Ok(Self::of_head(path, self.bytes)? == *self)
    }

    /// Makes the identity of a source without a beginning to read.
    pub(crate) fn unknown() -> Self {
        Self { head: Uuid::new_v4(), bytes: 0 }
    }

    fn of_head(path: &Path, bytes: u64) -> Result<Self, String> {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(bytes).read_to_end(&mut head));
        read.map_err(|error| super::unreadable(path, &error))?;
        Ok(Self { head: Uuid::new_v5(&Uuid::NAMESPACE_OID, &head), bytes: head.len() as u64 })
    }

    /// The id of the event on a line that gives none: the same at each reading.
    pub(super) fn id(&self, line: u64) -> Uuid {
        Uuid::new_v5(&self.head, &line.to_le_bytes())
    }
}
