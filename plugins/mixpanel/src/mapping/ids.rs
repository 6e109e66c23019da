//! The user of an event, and its id.

use serde_json::{Map, Value};
use tracklane::event::message_uuid;
use tracklane_http::{EventJson, Mapped};

use super::{IdMerge, Item};

/// Ids that Mixpanel refuses, as many programs send them by mistake, compared without case.
const ILLEGAL: &[&str] = &[
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
];

/// Bytes of an `$insert_id` at most.
const LONGEST_INSERT_ID: usize = 36;

/// The user of an event.
pub(super) struct Who {
    pub(super) distinct_id: String,
    /// The members of an event that name the user and the device, where the project merges by them.
    merging: Map<String, Value>,
}

impl Who {
    pub(super) fn of(json: &EventJson, id_merge: IdMerge) -> Result<Self, Mapped<Item>> {
        let (user, anonymous) = (json.user_id(), json.anonymous_id());
        for id in [user, anonymous].into_iter().flatten() {
            check(id)?;
        }
        let mut merging = Map::new();
        if id_merge == IdMerge::Original {
            let id = user.or(anonymous).ok_or_else(nobody)?;
            return Ok(Self { distinct_id: id.to_owned(), merging });
        }
        for (name, id) in [("$user_id", user), ("$device_id", anonymous)] {
            if let Some(id) = id {
                merging.insert(name.to_owned(), id.into());
            }
        }
        let device = || anonymous.map(|id| format!("$device:{id}"));
        let distinct_id = user.map(str::to_owned).or_else(device).ok_or_else(nobody)?;
        Ok(Self { distinct_id, merging })
    }

    /// Writes who it was into an event's properties.
    pub(super) fn write(&self, properties: &mut Map<String, Value>) {
        properties.insert("distinct_id".to_owned(), self.distinct_id.as_str().into());
        properties.extend(self.merging.clone());
    }
}

pub(super) fn check(id: &str) -> Result<(), Mapped<Item>> {
    match illegal(id) {
        Some(illegal) => Err(Mapped::reject(format!("Mixpanel refuses the id {illegal:?}"))),
        None => Ok(()),
    }
}

fn illegal(id: &str) -> Option<&'static str> {
    ILLEGAL.iter().copied().find(|illegal| id.trim().eq_ignore_ascii_case(illegal))
}

fn nobody() -> Mapped<Item> {
    Mapped::reject("it has neither userId nor anonymousId")
}

/// Writes which event it is, and when it was, in milliseconds.
pub(super) fn stamp(json: &EventJson, properties: &mut Map<String, Value>) {
    if let Some(id) = insert_id(json.message_id()) {
        properties.insert("$insert_id".to_owned(), id.into());
    }
    if let Some(timestamp) = json.timestamp() {
        properties.insert("time".to_owned(), timestamp.as_unix_millis().into());
    }
}

/// Returns the `$insert_id` of an event: its `messageId` if Mixpanel takes it, otherwise a UUID derived from it.
fn insert_id(message_id: &str) -> Option<String> {
    if message_id.is_empty() {
        return None;
    }
    let is_plain = message_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_taken = is_plain && message_id.len() <= LONGEST_INSERT_ID && illegal(message_id).is_none();
    Some(if is_taken { message_id.to_owned() } else { message_uuid(message_id) })
}

/// Returns whether an id is a random UUID, as `$identify` wants the anonymous one to be.
pub(super) fn is_uuid_v4(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && parts.get(2).is_some_and(|version| version.starts_with('4'))
}
