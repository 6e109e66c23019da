//! Avo's JSON Schema, as its export API, its webhook and `avo pull` give it:
//! `{"name": …, "events": [{"id", "name", "rules": {…, "nameMapping": [{"name", "destinationId"}]}}]}`.
//!
//! What Avo adds to JSON Schema is taken out: a `nameMapping`, which `required` lists although no event has it.

use serde_json::{Map, Value};
use tracklane::Kind;

use super::source::{RuleSource, Source, scope, text};
use crate::error::PlanError;

const NAME_MAPPING: &str = "nameMapping";
/// The `destinationId` of a name that is used everywhere.
const EVERYWHERE: &str = "all";

/// An event that has other names at some destinations is planned under those, too.
pub(super) fn read(plan: &Value, events: &[Value], from: &str) -> Result<Source, PlanError> {
    let mut rules = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let name = text(event, "name").unwrap_or_default();
        let place = format!("event {}, {name:?}", at + 1);
        let problem =
            |problem: &str| PlanError::Rule { from: from.to_owned(), rule: place.clone(), problem: problem.to_owned() };
        if name.is_empty() {
            return Err(problem("it has no name"));
        }
        let mut schema = event.get("rules").cloned().ok_or_else(|| problem("it has no rules"))?;
        let mut keys = vec![name];
        let mappings = [event.get(NAME_MAPPING), schema.get(NAME_MAPPING)];
        for (other, _) in mappings.into_iter().flatten().flat_map(names) {
            if !keys.contains(&other) {
                keys.push(other);
            }
        }
        clean(&mut schema);
        let scope = scope(&schema);
        for (nth, key) in keys.into_iter().enumerate() {
            let url = format!("plan:///events/{at}/{nth}");
            let (schema, place) = (schema.clone(), place.clone());
            rules.push(RuleSource { kind: Some(Kind::Track), key, version: 1, schema, scope, place, url });
        }
    }
    Ok(Source { name: text(plan, "name"), id: text(plan, "id"), rules })
}

/// The names in a mapping, and whether each is used everywhere. Avo writes a list; an object is read as well, of names by
/// destination.
fn names(mapping: &Value) -> Vec<(String, bool)> {
    let of_list = mapping.as_array().into_iter().flatten().filter_map(|entry| {
        let is_everywhere = entry.get("destinationId").and_then(Value::as_str) == Some(EVERYWHERE);
        Some((text(entry, "name")?, is_everywhere))
    });
    let of_object = mapping.as_object().into_iter().flatten();
    let of_object = of_object.filter_map(|(place, name)| Some((name.as_str()?.to_owned(), place == EVERYWHERE)));
    of_list.chain(of_object).collect()
}

/// Takes the mappings out of a schema, and out of those of its members.
fn clean(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.remove(NAME_MAPPING);
    if schema.get("properties").is_none_or(|properties| properties.get(NAME_MAPPING).is_none()) {
        retain_required(schema, |name| name != NAME_MAPPING);
    }
    rename_members(schema);
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.values_mut().for_each(clean);
    }
    if let Some(elements) = schema.get_mut("items") {
        clean(elements);
    }
}

/// A member that is called otherwise everywhere has that name. One that is called otherwise at some destination may have
/// either, and so is not required by one of them.
fn rename_members(schema: &mut Map<String, Value>) {
    let Some(members) = schema.get("properties").and_then(Value::as_object) else { return };
    let mapped = |(name, schema): (&String, &Value)| {
        let others = schema.get(NAME_MAPPING).map(names).unwrap_or_default();
        (!others.is_empty()).then(|| (name.clone(), others))
    };
    let mapped: Vec<_> = members.iter().filter_map(mapped).collect();
    for (name, others) in mapped {
        let everywhere = others.iter().find(|(_, is_everywhere)| *is_everywhere).map(|(other, _)| other.clone());
        if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let Some(own) = members.get(&name).cloned() else { continue };
            for (other, _) in &others {
                members.entry(other).or_insert_with(|| own.clone());
            }
            if everywhere.as_ref().is_some_and(|everywhere| *everywhere != name) {
                members.remove(&name);
            }
        }
        let is_required = retain_required(schema, |required| required != name);
        if let Some(everywhere) = everywhere.filter(|_| is_required && others.len() == 1)
            && let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut)
        {
            required.push(everywhere.into());
        }
    }
}

/// Takes names out of what is required. Whether there were any.
fn retain_required(schema: &mut Map<String, Value>, keep: impl Fn(&str) -> bool) -> bool {
    let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) else { return false };
    let before = required.len();
    required.retain(|name| name.as_str().is_none_or(&keep));
    required.len() < before
}
