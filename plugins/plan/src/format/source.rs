//! A plan as its format has it: rules that are not compiled yet.

use serde_json::Value;
use tracklane::Kind;

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

pub(super) fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

/// Returns the scope of a schema. The schema of a whole event names a section of an event, as an object.
pub(super) fn scope(schema: &Value) -> Scope {
    let named = schema.get("properties").and_then(Value::as_object);
    let is_section = |section: &&str| named.is_some_and(|named| named.get(*section).is_some_and(Value::is_object));
    if ["properties", "traits", "context"].iter().any(is_section) { Scope::Event } else { Scope::Section }
}
