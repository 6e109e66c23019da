//! The rules of Segment's tracking API: what it refuses, and what it accepts with 200 and then discards. The checks are
//! pure functions of what is on the wire.
//!
//! The limits are those of the call ([`event`](crate::event)). An event that the call refuses has a violation here,
//! too. `testing::TrackingApi`, the server in `tracklane-ingest` and the command `tracklane check` use this module and
//! nothing else. That Segment discards events after a 200 is stated in its documents. It was not tried with an account.

mod fields;
mod violation;

use std::borrow::Cow;

use serde_json::value::RawValue;

pub use fields::{Fields, Member};
pub use violation::{Level, Rule, Violation};

#[cfg(test)]
mod tests;

use crate::event::{Kind, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MAX_MESSAGE_ID_CHARS, Timestamp};

/// The kind of a path of the tracking API.
///
/// Non-exhaustive, because Segment may add another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// Takes many events in the member `batch`, each with its `type`.
    Batch,
    /// Takes one event of the type that the path names.
    Single(Kind),
    /// Takes figures that browsers and phones send about themselves, not events.
    Metrics,
}

impl Endpoint {
    /// Every path with its kind. Browsers and phones use the short ones.
    pub const ALL: [(&'static str, Endpoint); 16] = [
        ("/v1/batch", Endpoint::Batch),
        ("/v1/import", Endpoint::Batch),
        ("/v1/b", Endpoint::Batch),
        ("/v1/track", Endpoint::Single(Kind::Track)),
        ("/v1/identify", Endpoint::Single(Kind::Identify)),
        ("/v1/page", Endpoint::Single(Kind::Page)),
        ("/v1/screen", Endpoint::Single(Kind::Screen)),
        ("/v1/group", Endpoint::Single(Kind::Group)),
        ("/v1/alias", Endpoint::Single(Kind::Alias)),
        ("/v1/t", Endpoint::Single(Kind::Track)),
        ("/v1/i", Endpoint::Single(Kind::Identify)),
        ("/v1/p", Endpoint::Single(Kind::Page)),
        ("/v1/s", Endpoint::Single(Kind::Screen)),
        ("/v1/g", Endpoint::Single(Kind::Group)),
        ("/v1/a", Endpoint::Single(Kind::Alias)),
        ("/v1/m", Endpoint::Metrics),
    ];

    /// Returns the kind of this path; `None` if the tracking API has no such path.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == path).map(|(_, endpoint)| endpoint)
    }
}

/// Returns the events of a body as they were sent: the members of `batch` if that is an array, otherwise the whole
/// object.
///
/// Returns `None` if the body is not one JSON object.
#[must_use]
pub fn raw_events(body: &[u8]) -> Option<Vec<&RawValue>> {
    let fields = Fields::parse(body)?;
    match fields.batch.array() {
        Some(events) => Some(events),
        None => Some(vec![serde_json::from_slice(body).ok()?]),
    }
}

/// Checks the size of a body, in bytes, uncompressed.
#[must_use]
pub fn check_body_size(bytes: usize) -> Option<Violation> {
    (bytes > MAX_BATCH_BYTES).then(|| {
        let message = format!("the body has {bytes} bytes, at most {MAX_BATCH_BYTES} are allowed");
        Violation::new(Rule::BodyTooLarge, None, message)
    })
}

/// Checks the size of an event, in bytes of its JSON.
#[must_use]
pub fn check_event_size(bytes: usize) -> Option<Violation> {
    (bytes > MAX_EVENT_BYTES).then(|| {
        let message = format!("the event has {bytes} bytes of JSON, at most {MAX_EVENT_BYTES} are allowed");
        Violation::new(Rule::EventTooLarge, None, message)
    })
}

/// Checks the index of an event in its batch, counted from 0.
#[must_use]
pub fn check_place(index: usize) -> Option<Violation> {
    (index >= MAX_BATCH_EVENTS).then(|| {
        let message = format!("event {} of its batch: Segment keeps the first {MAX_BATCH_EVENTS}", index + 1);
        Violation::new(Rule::BatchTooLong, Some("batch"), message)
    })
}

/// Checks one event of `bytes` bytes. `kind` is that of the path, if the path names one.
#[must_use]
pub fn check_event(fields: &Fields<'_>, kind: Option<Kind>, bytes: usize) -> Vec<Violation> {
    let mut found: Vec<Violation> = check_event_size(bytes).into_iter().collect();
    let Some(kind) = kind.or_else(|| fields.kind.text().and_then(|name| Kind::from_name(&name))) else {
        let message = format!("type is {}, and must be one of {}", fields.kind.shown(), names());
        found.push(Violation::new(Rule::UnknownType, Some("type"), message));
        return found;
    };
    check_ids(fields, kind, &mut found);
    check_forms(fields, kind, &mut found);
    found
}

fn names() -> String {
    Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// Checks the fields that a call requires.
fn check_ids(fields: &Fields<'_>, kind: Kind, found: &mut Vec<Violation>) {
    let mut needs = |member: Member<'_>, rule: Rule, property: &'static str| {
        if member.is_blank() {
            let message = format!("{property} is missing or empty: a {kind} call needs it");
            found.push(Violation::new(rule, Some(property), message));
        }
    };
    match kind {
        Kind::Track => needs(fields.event, Rule::EventMissing, "event"),
        Kind::Group => needs(fields.group_id, Rule::GroupIdMissing, "groupId"),
        Kind::Alias => {
            needs(fields.previous_id, Rule::PreviousIdMissing, "previousId");
            needs(fields.user_id, Rule::UserIdMissing, "userId");
            return;
        }
        Kind::Identify | Kind::Page | Kind::Screen => {}
    }
    if fields.user_id.is_blank() && fields.anonymous_id.is_blank() {
        let message = format!("the {kind} call has neither userId nor anonymousId");
        found.push(Violation::new(Rule::UserIdMissing, Some("userId"), message));
    }
}

/// Checks the forms of the fields' values.
fn check_forms(fields: &Fields<'_>, kind: Kind, found: &mut Vec<Violation>) {
    let ids = [
        ("userId", fields.user_id),
        ("anonymousId", fields.anonymous_id),
        ("groupId", fields.group_id),
        ("previousId", fields.previous_id),
    ];
    for (property, member) in ids {
        if !member.is_null() && member.id().is_none() {
            wrong_type(found, property, member, "a string or a number");
        }
    }
    for (property, member) in [("event", fields.event), ("messageId", fields.message_id), ("name", fields.name)] {
        if !member.is_null() && member.text().is_none() {
            wrong_type(found, property, member, "a string");
        }
    }
    let section =
        if kind.section() == "traits" { ("traits", fields.traits) } else { ("properties", fields.properties) };
    for (property, member) in [section, ("context", fields.context), ("integrations", fields.integrations)] {
        if !member.is_null() && !member.is_object() {
            wrong_type(found, property, member, "an object");
        }
    }
    if let Some(chars) = fields.message_id.text().map(|id| id.chars().count())
        && chars > MAX_MESSAGE_ID_CHARS
    {
        let message = format!("messageId has {chars} characters, at most {MAX_MESSAGE_ID_CHARS} are allowed");
        found.push(Violation::new(Rule::MessageIdTooLong, Some("messageId"), message));
    }
    // The library reads the second one if the first is missing.
    for (property, member) in [("timestamp", fields.timestamp), ("originalTimestamp", fields.original_timestamp)] {
        if member.is_null() {
            continue;
        }
        match member.text().map(|text: Cow<'_, str>| text.parse::<Timestamp>()) {
            Some(Ok(_)) => return,
            Some(Err(invalid)) => {
                found.push(Violation::new(Rule::TimestampInvalid, Some(property), invalid.to_string()));
            }
            None => wrong_type(found, property, member, "a string in RFC 3339"),
        }
        return;
    }
}

fn wrong_type(found: &mut Vec<Violation>, property: &'static str, member: Member<'_>, expected: &str) {
    let message = format!("{property} is {}, and must be {expected}", member.shown());
    found.push(Violation::new(Rule::WrongType, Some(property), message));
}
