//! Ids for events that have none, the same at each reading of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
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

    /// Gives the event an id, if it has none: one that its line has at each reading.
    pub(crate) fn complete(&self, event: &mut Value, line: u64) {
        let Some(members) = event.as_object_mut() else { return };
        let has_one = members.get("messageId").is_some_and(|id| id.as_str().is_none_or(|id| !id.is_empty()));
        if !has_one || members.get("messageId").is_some_and(Value::is_null) {
            let id = Uuid::new_v5(&self.head, &line.to_le_bytes());
            members.insert("messageId".to_owned(), Value::from(id.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_same_id_at_each_reading_and_no_other_line_has_it() {
        let identity = Identity::unknown();
        let id = |line: u64, mut event: Value| {
            identity.complete(&mut event, line);
            event["messageId"].clone()
        };
        let nothing = || serde_json::json!({});
        assert_eq!(id(1, nothing()), id(1, nothing()));
        assert_ne!(id(1, nothing()), id(2, nothing()));
        assert_eq!(id(1, serde_json::json!({"messageId": "own"})), "own");
        for blank in [serde_json::json!({"messageId": null}), serde_json::json!({"messageId": ""})] {
            assert_eq!(id(1, blank), id(1, nothing()));
        }
        // Left unchanged: the library reports the error.
        assert_eq!(id(1, serde_json::json!({"messageId": 7})), 7);
    }
}
