//! A plan as its format has it: rules that are not compiled yet.

use serde_json::Value;
use tracklane::Kind;

use crate::members::ELSEWHERE;

/// A plan as a format has it.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) rules: Vec<RuleSource>,
}

/// A rule as a format has it.
#[derive(Debug)]
pub(crate) struct RuleSource {
    /// `None`: for every call.
    pub(crate) kind: Option<Kind>,
    /// The name of the event; empty for all calls of the kind.
    pub(crate) key: String,
    pub(crate) version: u64,
    pub(crate) schema: Value,
    pub(crate) scope: Scope,
    /// The place of the schema, for errors.
    pub(crate) place: String,
    /// A URL that other schemas may name it by.
    pub(crate) url: String,
}

/// The part of an event that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole event.
    Event,
    /// Its properties, or traits.
    Section,
}

/// The members at the top of an event: those of Segment's Spec, and those that its libraries and servers add.
const MEMBERS: &[&str] = &[
    "_metadata",
    "anonymousId",
    "category",
    "channel",
    "context",
    "event",
    "groupId",
    "integrations",
    "messageId",
    "name",
    "originalTimestamp",
    "previousId",
    "projectId",
    "properties",
    "receivedAt",
    "sentAt",
    "timestamp",
    "traits",
    "type",
    "userId",
    "version",
    "writeKey",
];

/// Returns a member that the schema describes at the top of an event, if it describes none that an event has there.
/// Such a schema is one of the properties or traits alone. Returns `None` if the schema may describe the event by
/// other keywords.
pub(crate) fn stranger(schema: &Value) -> Option<&str> {
    let others = ELSEWHERE.iter().chain(&["not", "dependencies", "dependentRequired"]);
    if others.into_iter().any(|keyword| schema.get(*keyword).is_some()) {
        return None;
    }
    let described = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut names = described.map(|(name, _)| name.as_str()).chain(required.filter_map(Value::as_str));
    let first = names.next()?;
    (!MEMBERS.contains(&first) && !names.any(|name| MEMBERS.contains(&name))).then_some(first)
}

pub(super) fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

/// Returns the scope of a schema. The schema of a whole event names a section of an event, as an object.
pub(super) fn scope(schema: &Value) -> Scope {
    let named = schema.get("properties").and_then(Value::as_object);
    let is_section = |section: &&str| named.is_some_and(|named| named.get(*section).is_some_and(Value::is_object));
    if ["properties", "traits", "context"].iter().any(is_section) { Scope::Event } else { Scope::Section }
}
