//! Segment's two formats.

use serde_json::{Map, Value};
use tracklane::Kind;

use super::source::{RuleSource, Scope, Source, text};
use crate::error::PlanError;

/// The Public API: `[{"type": "TRACK", "key": "Order Completed", "version": 1, "jsonSchema": {…}}]`.
pub(super) fn rules(plan: &Value, rules: &[Value], from: &str) -> Result<Source, PlanError> {
    let rules = rules.iter().enumerate().map(|(at, rule)| self::rule(at, rule, from)).collect::<Result<_, _>>()?;
    Ok(Source { name: text(plan, "name"), id: text(plan, "id"), rules })
}

fn rule(at: usize, rule: &Value, from: &str) -> Result<RuleSource, PlanError> {
    let (kind_name, key) = (text(rule, "type").unwrap_or_default(), text(rule, "key").unwrap_or_default());
    let place = format!("rule {}, {kind_name} {key:?}", at + 1);
    let problem = |problem: String| PlanError::Rule { from: from.to_owned(), rule: place.clone(), problem };
    let kind = match kind_name.as_str() {
        "COMMON" => None,
        name => Some(Kind::from_name(&name.to_lowercase()).ok_or_else(|| {
            problem(format!("unknown type {name:?}: use TRACK, IDENTIFY, GROUP, PAGE, SCREEN or COMMON"))
        })?),
    };
    if kind == Some(Kind::Track) && key.is_empty() {
        return Err(problem("a track rule without a key: write the name of its event".to_owned()));
    }
    let schema = rule.get("jsonSchema").cloned().ok_or_else(|| problem("it has no jsonSchema".to_owned()))?;
    let version = rule.get("version").and_then(Value::as_u64).unwrap_or(1);
    let url = format!("plan:///rules/{at}");
    Ok(RuleSource { kind, key, version, schema, scope: Scope::Event, place, url })
}

/// The Config API: `{"events": [{"name": …, "version": 1, "rules": {…}}], "identify": {…}, "global": {…}}`.
pub(super) fn older(plan: &Value, rules: &Map<String, Value>, from: &str) -> Result<Source, PlanError> {
    let mut found = Vec::new();
    for (at, event) in rules.get("events").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let key = text(event, "name").unwrap_or_default();
        let place = format!("event {}, {key:?}", at + 1);
        let problem =
            |problem: &str| PlanError::Rule { from: from.to_owned(), rule: place.clone(), problem: problem.to_owned() };
        if key.is_empty() {
            return Err(problem("it has no name"));
        }
        let schema = event.get("rules").cloned().ok_or_else(|| problem("it has no rules"))?;
        let version = event.get("version").and_then(Value::as_u64).unwrap_or(1);
        let url = format!("plan:///events/{at}");
        found.push(RuleSource { kind: Some(Kind::Track), key, version, schema, scope: Scope::Event, place, url });
    }
    let others = [
        ("identify", Some(Kind::Identify)),
        ("group", Some(Kind::Group)),
        ("page", Some(Kind::Page)),
        ("screen", Some(Kind::Screen)),
        ("global", None),
    ];
    for (member, kind) in others {
        if let Some(schema) = rules.get(member).filter(|schema| schema.is_object()) {
            let (place, url) = (format!("rules.{member}"), format!("plan:///{member}"));
            let (key, schema) = (String::new(), schema.clone());
            found.push(RuleSource { kind, key, version: 1, schema, scope: Scope::Event, place, url });
        }
    }
    let name = text(plan, "display_name").or_else(|| text(plan, "name"));
    if found.is_empty() {
        let problem = "has no rule: \"rules\" has neither \"events\" nor \"identify\" nor \"group\"".to_owned();
        return Err(PlanError::Format { from: from.to_owned(), problem });
    }
    Ok(Source { name, id: text(plan, "name"), rules: found })
}
