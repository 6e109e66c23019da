//! Ids of requests, the same in every attempt.

use sha2::{Digest, Sha256};

use crate::signature::hex;

/// The largest number of letters of an id that is kept as it is.
const LONGEST: usize = 256;
/// Bytes of a hash that an id shows.
const HASH: usize = 16;

/// Returns the id of a request with one event: its `messageId`. It is a hash of that if it has a dot, which would make
/// the signed text ambiguous, or a character that is not valid in a header.
pub(crate) fn of_event(message_id: &str) -> String {
    let is_plain = message_id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if is_plain && (1..=LONGEST).contains(&message_id.len()) {
        return message_id.to_owned();
    }
    hashed("msg_", [message_id])
}

/// The id of a request with several events: a hash of their ids in their order.
pub(crate) fn of_batch<T: AsRef<str>>(message_ids: impl IntoIterator<Item = T>) -> String {
    hashed("batch_", message_ids)
}

fn hashed<T: AsRef<str>>(prefix: &str, ids: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        // With its length, so that no two lists are the same text.
        hash.update((id.as_ref().len() as u64).to_be_bytes());
        hash.update(id.as_ref());
    }
    let hash = hash.finalize();
    format!("{prefix}{}", hex(hash.get(..HASH).unwrap_or(&hash)))
}
