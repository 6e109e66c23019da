//! Another validator, `jsonschema`, on random events: both find the same ones wrong.

use serde_json::{Map, Value, json};
use tracklane::Track;
use tracklane_plan::Plan;

const EVENTS: usize = 10_000;

/// The schemas that plans are made of: every keyword that Segment's editor writes, and some that people add.
fn schemas() -> Vec<Value> {
    vec![
        json!({ "type": "object", "required": ["a", "b"], "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } }),
        json!({ "properties": { "a": { "type": ["number", "null"], "minimum": 0, "maximum": 10 }, "b": { "enum": ["x", 1, null, true] } } }),
        json!({ "properties": { "a": { "type": "string", "pattern": "^[a-c]+$", "minLength": 2, "maxLength": 3 } }, "additionalProperties": false }),
        json!({ "properties": { "a": { "type": "array", "items": { "type": "integer" }, "minItems": 1, "maxItems": 2, "uniqueItems": true } } }),
        json!({ "properties": { "c": { "type": "object", "required": ["a"], "properties": { "a": { "type": "boolean" } } } }, "minProperties": 1, "maxProperties": 3 }),
        json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b"] }], "not": { "required": ["d"] } }),
        json!({ "oneOf": [{ "properties": { "a": { "const": 1 } }, "required": ["a"] }, { "properties": { "b": { "exclusiveMinimum": 0 } } }] }),
        json!({ "allOf": [{ "properties": { "a": { "multipleOf": 0.5 } } }, { "dependencies": { "a": ["b"] } }] }),
        json!({ "if": { "properties": { "a": { "type": "string" } } }, "then": { "required": ["b"] }, "else": { "required": ["c"] } }),
        json!({ "patternProperties": { "^[ab]$": { "type": "number" } }, "additionalProperties": { "type": "string" }, "propertyNames": { "maxLength": 1 } }),
        json!({ "properties": { "a": { "$ref": "#/definitions/x" } }, "definitions": { "x": { "contains": { "type": "string" } } } }),
    ]
}

fn value(random: &mut fastrand::Rng, depth: u32) -> Value {
    match random.u32(0..if depth == 0 { 9 } else { 12 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(-3..12).into(),
        3 => (random.f64() * 20.0 - 5.0).into(),
        4 => (random.i64(-4..25) as f64 / 2.0).into(),
        5 => 1.into(),
        6..=8 => (0..random.usize(0..5))
            .map(|_| random.choice(['a', 'b', 'c', 'x', 'é']).unwrap())
            .collect::<String>()
            .into(),
        9 | 10 => (0..random.usize(0..4)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object(object(random, depth - 1)),
    }
}

fn object(random: &mut fastrand::Rng, depth: u32) -> Map<String, Value> {
    let names = ["a", "a", "b", "b", "c", "d", "ee"];
    (0..random.usize(0..5)).map(|_| (names[random.usize(0..names.len())].to_owned(), value(random, depth))).collect()
}

#[test]
fn another_validator_finds_the_same_events_wrong() {
    let mut random = fastrand::Rng::with_seed(13);
    let schemas = schemas();
    let rules: Vec<Value> = schemas
        .iter()
        .enumerate()
        .map(|(at, schema)| {
            // Not of the members, which are planned apart from the schema: `violations` would find those, too.
            let rules = json!({ "properties": { "properties": { "allOf": [schema] } } });
            let definitions = schema.get("definitions").cloned().unwrap_or_else(|| json!({}));
            let mut rules = rules;
            rules["definitions"] = definitions;
            json!({ "type": "TRACK", "key": format!("E{at}"), "jsonSchema": rules })
        })
        .collect();
    let plan = Plan::parse(&json!({ "rules": rules }).to_string()).unwrap();
    let referees: Vec<jsonschema::Validator> = rules
        .iter()
        .map(|rule| jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&rule["jsonSchema"]).unwrap())
        .collect();
    let (mut right, mut wrong) = (0, 0);
    for number in 0..EVENTS {
        let at = number % schemas.len();
        let properties = object(&mut random, 2);
        let event = Track::new(&format!("E{at}")).user_id("u1").properties(Value::Object(properties.clone()));
        let found = plan.violations(&event.into());
        let is_valid = referees[at].is_valid(&json!({ "properties": properties }));
        assert_eq!(found.is_empty(), is_valid, "{}: {} {found:?}", schemas[at], Value::Object(properties));
        if is_valid { right += 1 } else { wrong += 1 }
    }
    assert!(right > EVENTS / 10 && wrong > EVENTS / 10, "{right} right, {wrong} wrong: the events are no test");
}
