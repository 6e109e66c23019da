//! A tracking plan, and what in an event is not as it says.
//!
//! Segment's form: `{"name", "rules": [{"type", "key", "jsonSchema"}]}`, or the older one with
//! `{"rules": {"events": [{"name", "rules"}]}}`. Of JSON Schema it knows `type`, `required`, `properties`, `items`,
//! `enum`, `const`, `pattern`, `minimum`, `maximum`, `minLength`, `maxLength` and `additionalProperties: false`.

use std::fs;
use std::path::Path;

use regex_lite::Regex;
use serde_json::{Map, Value};
use tracklane::Kind;
use tracklane_ingest::rules::{Finding, Level};

/// A plan that was read.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) events: Vec<Planned>,
}

/// One event of the plan.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    /// The name of a track call; empty for the others.
    pub(crate) name: String,
    schema: Value,
}

impl Plan {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|problem| format!("{}: {problem}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("the plan is no JSON: {error}"))?;
        let name = ["name", "display_name"].into_iter().find_map(|key| json[key].as_str()).unwrap_or("plan");
        let rules = match &json["rules"] {
            Value::Array(rules) => rules.iter().map(from_rule).collect::<Result<Vec<_>, _>>()?,
            Value::Object(rules) => from_older(rules)?,
            _ => return Err("the plan has no rules: give Segment's JSON of a tracking plan".to_owned()),
        };
        Ok(Self { name: name.to_owned(), events: rules })
    }

    /// What in the event is not as planned.
    pub(crate) fn check(&self, kind: Kind, name: &str, raw: &[u8], findings: &mut Vec<Finding>) {
        let of_kind = |planned: &&Planned| planned.kind == kind && (kind != Kind::Track || planned.name == name);
        let Some(planned) = self.events.iter().find(of_kind) else {
            if kind == Kind::Track {
                let message = format!("{name:?} is not in the plan {:?}", self.name);
                findings.push(finding("not-in-plan", "event".to_owned(), message));
            }
            return;
        };
        let Ok(event) = serde_json::from_slice::<Value>(raw) else { return };
        let mut found = Vec::new();
        check(&planned.schema, &event, "", &mut found);
        findings.extend(found.into_iter().map(|(path, problem)| {
            let message = format!("{path} {problem}");
            finding("plan-violation", path, message)
        }));
    }
}

fn finding(rule: &'static str, property: String, message: String) -> Finding {
    let fix = "Send what the plan says, or change the plan.";
    Finding { rule, level: Level::Smell, property: Some(property.into()), message, fix }
}

fn from_rule(rule: &Value) -> Result<Planned, String> {
    let kind = rule["type"].as_str().unwrap_or_default();
    let kind = Kind::from_name(&kind.to_lowercase()).ok_or_else(|| format!("the plan has a rule of type {kind:?}"))?;
    let name = rule["key"].as_str().unwrap_or_default().to_owned();
    Ok(Planned { kind, name, schema: rule["jsonSchema"].clone() })
}

fn from_older(rules: &Map<String, Value>) -> Result<Vec<Planned>, String> {
    let events = rules.get("events").and_then(Value::as_array).ok_or("the plan's rules have no events")?;
    let mut planned: Vec<Planned> = events
        .iter()
        .map(|event| Planned {
            kind: Kind::Track,
            name: event["name"].as_str().unwrap_or_default().to_owned(),
            schema: event["rules"].clone(),
        })
        .collect();
    for (key, kind) in [("identify", Kind::Identify), ("group", Kind::Group)] {
        if let Some(schema) = rules.get(key).filter(|schema| schema.is_object()) {
            planned.push(Planned { kind, name: String::new(), schema: schema.clone() });
        }
    }
    Ok(planned)
}

type Found = Vec<(String, String)>;

fn check(schema: &Value, value: &Value, path: &str, found: &mut Found) {
    let mut problem = |problem: String| found.push((path.to_owned(), problem));
    if let Some(types) = wrong_type(&schema["type"], value) {
        problem(format!("is {}, and the plan says {types}", type_name(value)));
        return;
    }
    if let Value::Array(allowed) = &schema["enum"]
        && !allowed.contains(value)
    {
        problem(format!("is none of {}", schema["enum"]));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        problem(format!("is not {}", schema["const"]));
    }
    match value {
        Value::String(text) => check_text(schema, text, path, found),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or_default(), path, found),
        Value::Object(members) => check_object(schema, members, path, found),
        Value::Array(elements) if schema["items"].is_object() => {
            for (index, element) in elements.iter().enumerate() {
                check(&schema["items"], element, &below(path, &index.to_string()), found);
            }
        }
        _ => {}
    }
}

fn check_object(schema: &Value, members: &Map<String, Value>, path: &str, found: &mut Found) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            found.push((below(path, name), "is missing, and the plan needs it".to_owned()));
        }
    }
    let planned = schema["properties"].as_object();
    for (name, value) in members {
        match planned.and_then(|planned| planned.get(name)) {
            Some(schema) => check(schema, value, &below(path, name), found),
            None if schema["additionalProperties"] == Value::Bool(false) => {
                found.push((below(path, name), "is not in the plan".to_owned()));
            }
            None => {}
        }
    }
}

fn check_text(schema: &Value, text: &str, path: &str, found: &mut Found) {
    let chars = text.chars().count() as u64;
    if let Some(pattern) = schema["pattern"].as_str()
        && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
    {
        found.push((path.to_owned(), format!("does not match {pattern:?}")));
    }
    if schema["minLength"].as_u64().is_some_and(|least| chars < least) {
        found.push((path.to_owned(), format!("has {chars} characters, less than {}", schema["minLength"])));
    }
    if schema["maxLength"].as_u64().is_some_and(|most| chars > most) {
        found.push((path.to_owned(), format!("has {chars} characters, more than {}", schema["maxLength"])));
    }
}

fn check_number(schema: &Value, number: f64, path: &str, found: &mut Found) {
    if schema["minimum"].as_f64().is_some_and(|least| number < least) {
        found.push((path.to_owned(), format!("is {number}, less than {}", schema["minimum"])));
    }
    if schema["maximum"].as_f64().is_some_and(|most| number > most) {
        found.push((path.to_owned(), format!("is {number}, more than {}", schema["maximum"])));
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The types that the schema has, if the value has none of them.
fn wrong_type(types: &Value, value: &Value) -> Option<String> {
    let names: Vec<&str> = match types {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let is = |name: &&str| match *name {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "any" => true,
        name => type_name(value).ends_with(name),
    };
    (!names.iter().any(is)).then(|| names.join(" or "))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"name":"Shop","rules":[{"type":"TRACK","key":"Order Completed","version":1,"jsonSchema":{
        "type":"object","properties":{"properties":{"type":"object","required":["total"],"additionalProperties":false,
        "properties":{"total":{"type":"number","minimum":0},"currency":{"enum":["EUR","USD"]},
        "count":{"type":["integer","null"]},"code":{"pattern":"^[A-Z]+$"}}}}}}]}"#;

    fn problems(properties: &str) -> Vec<String> {
        let plan = Plan::parse(PLAN).unwrap();
        let mut findings = Vec::new();
        let raw = format!(r#"{{"event":"Order Completed","properties":{properties}}}"#);
        plan.check(Kind::Track, "Order Completed", raw.as_bytes(), &mut findings);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn what_is_as_planned_is_fine_and_all_else_is_named() {
        for fine in
            [r#"{"total":1}"#, r#"{"total":1.5,"currency":"EUR","count":3,"code":"AB"}"#, r#"{"total":0,"count":null}"#]
        {
            assert!(problems(fine).is_empty(), "{fine}: {:?}", problems(fine));
        }
        for (wrong, expected) in [
            ("{}", "properties.total is missing"),
            (r#"{"total":"1"}"#, "properties.total is a string, and the plan says number"),
            (r#"{"total":-1}"#, "properties.total is -1, less than 0"),
            (r#"{"total":1,"currency":"GBP"}"#, "properties.currency is none of"),
            (r#"{"total":1,"count":1.5}"#, "properties.count is a number, and the plan says integer or null"),
            (r#"{"total":1,"code":"x"}"#, "properties.code does not match"),
            (r#"{"total":1,"more":1}"#, "properties.more is not in the plan"),
        ] {
            let found = problems(wrong);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{wrong}: {found:?}");
        }
    }

    #[test]
    fn a_plan_that_is_none_says_so() {
        for wrong in ["", "{}", r#"{"rules":7}"#, r#"{"rules":[{"type":"sell","key":"x"}]}"#, r#"{"rules":{}}"#] {
            assert!(Plan::parse(wrong).is_err(), "{wrong}");
        }
        let older = r#"{"display_name":"Old","rules":{"events":[{"name":"A","rules":{}}],"identify":{}}}"#;
        assert_eq!(Plan::parse(older).unwrap().events.len(), 2);
    }
}
