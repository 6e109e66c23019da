//! Random plans and random events: nothing panics.

use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::{Event, Track};
use tracklane_plan::Plan;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["object", "string", "^a(", "#", "#/properties", "plan:///x"]).prop_map(Value::from),
    ];
    let keyword = prop::sample::select(vec![
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "pattern",
        "$ref",
        "$id",
        "$schema",
        "anyOf",
        "not",
        "minimum",
        "additionalProperties",
        "rules",
        "events",
        "name",
        "key",
        "jsonSchema",
        "version",
        "traits",
        "data",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keyword.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A plan with a bit of everything.
fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    let schema = json!({ "properties": { "properties": {
        "required": ["type"],
        "properties": { "type": { "type": "string" }, "items": { "items": { "properties": { "name": { "minimum": 1 } } } },
                        "data": { "$ref": "#" }, "properties": { "anyOf": [{ "type": "object" }, { "type": "null" }] } } } } });
    PLAN.get_or_init(|| {
        Plan::parse(&json!({ "rules": [{ "type": "TRACK", "key": "A", "jsonSchema": schema }] }).to_string()).unwrap()
    })
}

proptest! {
    #[test]
    fn no_plan_panics(json in json_value(), text in "\\PC{0,40}") {
        let _ = Plan::parse(&text);
        let _ = Plan::parse(&json.to_string());
        let rule = json!({ "rules": [{ "type": "TRACK", "key": "A", "jsonSchema": json }] });
        if let Ok(plan) = Plan::parse(&rule.to_string()) {
            let _ = plan.violations(&Track::new("A").user_id("u").properties(json!({ "type": 1 })).into());
        }
    }

    #[test]
    fn no_event_panics(json in json_value()) {
        let properties = if json.is_object() { json } else { json!({ "data": json }) };
        let event = Event::from(Track::new("A").user_id("u").properties(properties));
        for violation in plan().violations(&event) {
            prop_assert!(violation.description.starts_with(&violation.field));
        }
    }
}
