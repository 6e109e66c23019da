//! Avo's export: `{"name": …, "events": [{"id", "name", "rules": {…}, "nameMapping": {…}}]}`.

use serde_json::Value;
use tracklane::Kind;

use super::source::{RuleSource, Source, scope, text};
use crate::error::PlanError;

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
        let schema = event.get("rules").cloned().ok_or_else(|| problem("it has no rules"))?;
        let scope = scope(&schema);
        let mapped = event.get("nameMapping").and_then(Value::as_object).into_iter().flat_map(|names| names.values());
        let mut keys = vec![name];
        for other in mapped.filter_map(Value::as_str) {
            if !keys.iter().any(|key| key == other) {
                keys.push(other.to_owned());
            }
        }
        for (nth, key) in keys.into_iter().enumerate() {
            let url = format!("plan:///events/{at}/{nth}");
            let (schema, place) = (schema.clone(), place.clone());
            rules.push(RuleSource { kind: Some(Kind::Track), key, version: 1, schema, scope, place, url });
        }
    }
    Ok(Source { name: text(plan, "name"), id: text(plan, "id"), rules })
}
