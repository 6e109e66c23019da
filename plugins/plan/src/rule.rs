//! A compiled rule: the schema of an event, and the part of the event that it reads.

use serde_json::{Map, Value};
use tracklane::Kind;

use crate::format::{RuleSource, Scope};
use crate::members::Members;
use crate::schema::{Compiled, Found, Schema};

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) version: u64,
    schema: Schema,
    asks_for: AsksFor,
    /// The planned properties or traits.
    members: Members,
}

/// The part of an event that a schema reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AsksFor {
    /// Its properties or traits, as its whole.
    Section,
    /// Both, as a member of the event.
    EventWithSection,
    WholeEvent,
}

/// Keywords of a schema that look at no member but those that `properties` and `required` name.
const LOCAL: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$comment",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "labels",
    "definitions",
    "$defs",
    "additionalProperties",
    "examples",
    "default",
];

impl Rule {
    /// Compiles a rule. `section` is the event's, `properties` or `traits`; `None` for a rule of every call.
    pub(crate) fn new(source: &RuleSource, schema: Schema, section: Option<&str>) -> Self {
        let of_section = section.and_then(|section| source.schema.get("properties")?.get(section));
        let (asks_for, members) = match (source.scope, section) {
            (Scope::Section, _) => (AsksFor::Section, Members::new(&source.schema)),
            (Scope::Event, Some(section)) if asks_for_section_alone(&source.schema, section) => {
                (AsksFor::EventWithSection, of_section.map(Members::new).unwrap_or_default())
            }
            (Scope::Event, _) => (AsksFor::WholeEvent, of_section.map(Members::new).unwrap_or_default()),
        };
        Self { version: source.version, schema, asks_for, members }
    }

    /// The paths, below the section, of members that are not planned.
    pub(crate) fn unplanned(&self, section: &Map<String, Value>) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        if !self.members.names_nothing() {
            self.members.unplanned(section, &mut Vec::new(), &mut found);
        }
        found
    }

    /// Returns the violations. Locations are those in the event. `whole` returns the whole event if the schema reads
    /// more than the section. The section stays as it was.
    pub(crate) fn check(
        &self,
        compiled: &Compiled,
        kind: Kind,
        section: &mut Map<String, Value>,
        whole: &dyn Fn() -> Value,
    ) -> Vec<Found> {
        let mut found = Vec::new();
        let name = section_of(kind);
        match self.asks_for {
            AsksFor::Section => {
                let value = Value::Object(std::mem::take(section));
                compiled.check(self.schema, &value, name, &mut found);
                found.iter_mut().for_each(|found| found.location.insert(0, name.to_owned()));
                *section = into_object(value);
            }
            AsksFor::EventWithSection => {
                let value = Value::from_iter([(name, Value::Object(std::mem::take(section)))]);
                compiled.check(self.schema, &value, "", &mut found);
                *section = into_object(value).remove(name).map(into_object).unwrap_or_default();
            }
            AsksFor::WholeEvent => {
                let mut value = whole();
                if let Some(event) = value.as_object_mut() {
                    event.insert(name.to_owned(), Value::Object(section.clone()));
                }
                compiled.check(self.schema, &value, "", &mut found);
            }
        }
        found
    }
}

/// The one section that calls of a kind have.
pub(crate) fn section_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Identify | Kind::Group => "traits",
        _ => "properties",
    }
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Returns whether the answer is the same if the event had nothing but that section. Usual plans are so: the rest is
/// `{}`.
fn asks_for_section_alone(schema: &Value, section: &str) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    let is_local = schema.keys().all(|keyword| LOCAL.contains(&keyword.as_str()));
    let is_open = !matches!(schema.get("additionalProperties"), Some(Value::Bool(false) | Value::Object(_)));
    let properties = schema.get("properties").and_then(Value::as_object);
    let says_nothing = |schema: &Value| schema.as_object().is_some_and(Map::is_empty) || *schema == Value::Bool(true);
    let of_others = properties.into_iter().flatten().filter(|(name, _)| *name != section);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    is_local
        && is_open
        && of_others.into_iter().all(|(_, schema)| says_nothing(schema))
        && required.into_iter().all(|name| name == section)
}
