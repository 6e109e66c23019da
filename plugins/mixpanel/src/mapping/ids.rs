//! The user of an event, and its id.

use std::borrow::Cow;

use tracklane::event::message_uuid;
use tracklane_http::{EventJson, JsonObject, Mapped};

use super::{IdMerge, Made, Part};

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
pub(super) struct Who<'e> {
    pub(super) distinct_id: Cow<'e, str>,
    /// The user and the device, where the project merges by them.
    user: Option<&'e str>,
    device: Option<&'e str>,
}

impl<'e> Who<'e> {
    pub(super) fn of(json: &'e EventJson<'_>, id_merge: IdMerge) -> Made<'e, Self> {
        let (user, anonymous) = (json.user_id(), json.anonymous_id());
        for id in [user, anonymous].into_iter().flatten() {
            check(id)?;
        }
        if id_merge == IdMerge::Original {
            let id = user.or(anonymous).ok_or_else(nobody)?;
            return Ok(Self { distinct_id: id.into(), user: None, device: None });
        }
        let device = || anonymous.map(|id| format!("$device:{id}").into());
        let distinct_id = user.map(Cow::Borrowed).or_else(device).ok_or_else(nobody)?;
        Ok(Self { distinct_id, user, device: anonymous })
    }

    /// Writes who it was into an event's properties.
    pub(super) fn write(&self, properties: &mut JsonObject<'e>) {
        properties.insert("distinct_id", self.distinct_id.clone());
        for (name, id) in [("$user_id", self.user), ("$device_id", self.device)] {
            if let Some(id) = id {
                properties.insert(name, id);
            }
        }
    }
}

pub(super) fn check<'e>(id: &str) -> Made<'e, ()> {
    match illegal(id) {
        Some(illegal) => Err(Mapped::reject(format!("Mixpanel refuses the id {illegal:?}"))),
        None => Ok(()),
    }
}

fn illegal(id: &str) -> Option<&'static str> {
    let id = id.trim();
    ILLEGAL.iter().copied().find(|illegal| id.eq_ignore_ascii_case(illegal))
}

fn nobody<'e>() -> Mapped<Part<'e>> {
    Mapped::reject("it has neither userId nor anonymousId")
}

/// Writes which event it is, and when it was, in milliseconds.
pub(super) fn stamp<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    if let Some(id) = insert_id(json.message_id()) {
        properties.insert("$insert_id", id);
    }
    if let Some(timestamp) = json.timestamp() {
        properties.insert("time", timestamp.as_unix_millis());
    }
}

/// Returns the `$insert_id` of an event: its `messageId` if Mixpanel takes it, otherwise a UUID derived from it.
fn insert_id(message_id: &str) -> Option<Cow<'_, str>> {
    if message_id.is_empty() {
        return None;
    }
    let is_plain = message_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_taken = is_plain && message_id.len() <= LONGEST_INSERT_ID && illegal(message_id).is_none();
    Some(if is_taken { message_id.into() } else { message_uuid(message_id).into() })
}

/// Returns whether an id is a random UUID, as `$identify` wants the anonymous one to be.
pub(super) fn is_uuid_v4(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && parts.get(2).is_some_and(|version| version.starts_with('4'))
}
