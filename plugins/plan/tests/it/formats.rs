//! The formats of plans, and what is said about a plan that cannot be used.

use std::error::Error;

use serde_json::{Value, json};
use tracklane::{Event, Group, Identify, Kind, Page, Track};
use tracklane_plan::{Plan, TrackingPlan, Violation};

/// Of the whole event: `total` must be a number.
fn whole() -> Value {
    json!({ "type": "object", "properties": { "properties": { "required": ["total"], "properties": { "total": { "type": "number" } } } } })
}

/// Of the properties alone.
fn section() -> Value {
    whole()["properties"]["properties"].clone()
}

fn order(properties: Value) -> Event {
    Track::new("Order Completed").user_id("u1").properties(properties).into()
}

/// The fields that are not as planned, of the event and of its JSON, which are the same.
fn fields(plan: &Plan, event: impl Into<Event>) -> Vec<String> {
    let event = event.into();
    let of = |violations: Vec<Violation>| violations.into_iter().map(|violation| violation.field).collect::<Vec<_>>();
    let fields = of(plan.violations(&event));
    assert_eq!(of(plan.violations_in(&serde_json::to_value(&event).unwrap())), fields);
    fields
}

#[test]
fn json_that_is_no_event_has_no_violations_and_one_that_cannot_be_sent_has() {
    let rules = json!({ "rules": [{ "type": "TRACK", "key": "A", "jsonSchema": whole() }, { "type": "COMMON", "jsonSchema": { "required": ["userId"] } }] });
    let plan = Plan::parse(&rules.to_string()).unwrap();
    for none in [json!(null), json!([]), json!({}), json!({ "type": "sell" }), json!({ "type": 7, "event": "A" })] {
        assert!(plan.violations_in(&none).is_empty(), "{none}");
    }
    let found = plan.violations_in(&json!({ "type": "track", "event": "A", "properties": [] }));
    assert_eq!(found.iter().map(|violation| &*violation.field).collect::<Vec<_>>(), ["properties.total", "userId"]);
}

#[test]
fn each_format_says_the_same() {
    let rule = json!({ "type": "TRACK", "key": "Order Completed", "version": 1, "jsonSchema": whole() });
    let plans = [
        json!({ "name": "Shop", "id": "tp_1", "rules": [rule] }),
        json!({ "data": { "name": "Shop", "rules": [rule], "pagination": { "current": "MA==", "next": null } } }),
        json!({ "name": "workspaces/a/tracking-plans/rs_1", "display_name": "Shop",
                "rules": { "events": [{ "name": "Order Completed", "version": 1, "rules": whole() }] } }),
        json!({ "name": "Shop", "events": [{ "id": "e1", "name": "Order Completed", "rules": whole() }] }),
        json!({ "name": "Shop", "events": [{ "id": "e1", "name": "Order Completed", "rules": section() }] }),
        json!({ "name": "Shop", "events": [{ "name": "order", "rules": section(), "nameMapping": { "Segment": "Order Completed" } }] }),
    ];
    for text in plans {
        let plan = Plan::parse(&text.to_string()).unwrap();
        assert_eq!(plan.name(), "Shop", "{text}");
        assert!(plan.events().contains(&(Kind::Track, "Order Completed")), "{text}");
        assert_eq!(fields(&plan, order(json!({ "total": 1 }))), [""; 0], "{text}");
        assert_eq!(fields(&plan, order(json!({ "total": "1" }))), ["properties.total"], "{text}");
        assert_eq!(fields(&plan, order(json!({}))), ["properties.total"], "{text}");
        assert_eq!(fields(&plan, order(json!({ "total": 1, "tax": 1 }))), ["properties.tax"], "{text}");
        assert_eq!(fields(&plan, Track::new("Other").user_id("u1")), ["event"], "{text}");
        assert_eq!(fields(&plan, Page::new("Other").user_id("u1")), [""; 0], "{text}");
    }
}

/// The example of Avo's documentation of its webhook, with other names: what is said of destinations is not JSON Schema, and
/// `required` lists it.
#[test]
fn avos_json_schema_is_read_as_avo_writes_it() {
    let plan = json!({
        "name": "Shop",
        "events": [{
            "id": "C3XnUJ3kRq", "name": "order_completed", "description": "When an order is paid.", "triggers": [], "tags": [],
            "categories": ["ujPLZEoj9"], "actions": ["logEvent"],
            "sources": [{ "id": "Z8siDew5I", "name": "Website", "implementWithCodegen": true, "destinations": [{ "id": "d1" }] }],
            "rules": {
                "$schema": "http://json-schema.org/draft-06/schema#", "type": "object", "required": ["properties", "nameMapping"],
                "properties": { "properties": {
                    "type": "object",
                    "properties": {
                        "Total": { "id": "p1", "description": "", "type": "number", "nameMapping": [{ "name": "total", "destinationId": "all" }] },
                        "Payment": { "id": "p2", "type": "string", "enum": ["card", "cash"], "nameMapping": [{ "name": "pay", "destinationId": "d2" }] },
                        "Items": { "id": "p3", "type": "array", "items": { "type": "string" } },
                    },
                    "additionalProperties": false, "required": ["Total", "Payment", "Items"],
                } },
                "nameMapping": [{ "name": "Order Completed", "destinationId": "all" }, { "name": "order", "destinationId": "d2" }],
            },
        }],
        "metrics": {}, "categories": { "ujPLZEoj9": { "id": "ujPLZEoj9", "name": "Shop" } },
    });
    let plan = Plan::parse(&plan.to_string()).unwrap();
    let names = ["Order Completed", "order", "order_completed"];
    assert_eq!(plan.events(), names.map(|name| (Kind::Track, name)));
    let of = |properties: Value| fields(&plan, order(properties));
    for right in
        [json!({ "total": 1, "Payment": "card", "Items": [] }), json!({ "total": 1, "pay": "cash", "Items": ["a"] })]
    {
        assert_eq!(of(right.clone()), [""; 0], "{right}");
    }
    let rows = [
        (json!({ "total": "1", "Items": [] }), vec!["properties.total"]),
        (json!({ "Total": 1, "Items": [] }), vec!["properties.Total", "properties.total"]),
        (json!({ "total": 1, "pay": "gold", "Items": [] }), vec!["properties.pay"]),
        (json!({ "total": 1, "Items": [1] }), vec!["properties.Items.0"]),
        (json!({ "total": 1 }), vec!["properties.Items"]),
        (json!({ "total": 1, "Items": [], "tax": 1 }), vec!["properties.tax"]),
    ];
    for (wrong, expected) in rows {
        assert_eq!(of(wrong.clone()), expected, "{wrong}");
    }
}

#[test]
fn a_folder_has_a_file_for_each_event_which_may_name_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, json: Value| std::fs::write(folder.path().join(name), json.to_string()).unwrap();
    write(
        "Order Completed.json",
        json!({
            "properties": { "total": { "$ref": "#/definitions/money" }, "to": { "$ref": "address.json" } }, "required": ["total"],
            "definitions": { "money": { "type": "number" } },
        }),
    );
    write("address.json", json!({ "type": "object", "required": ["city"] }));
    write("identify.json", json!({ "properties": { "email": { "type": "string" } } }));
    write("group.json", json!({ "properties": { "traits": { "properties": { "plan": { "type": "string" } } } } }));
    write("common.json", json!({ "properties": { "userId": { "maxLength": 3 } } }));
    std::fs::write(folder.path().join("README.md"), "not a schema").unwrap();
    let plan = Plan::read(folder.path()).unwrap();
    assert_eq!(
        plan.events(),
        [(Kind::Track, "Order Completed"), (Kind::Track, "address"), (Kind::Identify, ""), (Kind::Group, "")]
    );
    assert_eq!(fields(&plan, order(json!({ "total": 1, "to": { "city": "Ulm" } }))), [""; 0]);
    assert_eq!(fields(&plan, order(json!({ "total": "1", "to": {} }))), ["properties.to.city", "properties.total"]);
    assert_eq!(fields(&plan, order(json!({}))), ["properties.total"]);
    assert_eq!(
        fields(&plan, Identify::new().user_id("u1").traits(json!({ "email": 1, "x": 1 }))),
        ["traits.x", "traits.email"]
    );
    assert_eq!(fields(&plan, Group::new("g").user_id("u1").traits(json!({ "plan": 1 }))), ["traits.plan"]);
    assert_eq!(fields(&plan, Page::new("p").user_id("u1234")), ["userId"]);
}

#[test]
fn the_schema_may_ask_for_any_part_of_the_event() {
    let schema = json!({
        "properties": { "context": { "required": ["ip"] }, "properties": { "properties": { "a": {} } } },
        "if": { "properties": { "userId": { "const": "u1" } }, "required": ["userId"] }, "then": { "required": ["anonymousId"] },
    });
    let plan = json!({ "rules": [{ "type": "TRACK", "key": "A", "jsonSchema": schema }] });
    let plan = Plan::parse(&plan.to_string()).unwrap();
    assert_eq!(fields(&plan, Track::new("A").user_id("u1").property("a", 1)), ["anonymousId"]);
    let context = json!({ "locale": "de" });
    assert_eq!(fields(&plan, Track::new("A").user_id("u2").context(context)), ["context.ip"]);
}

#[test]
fn a_plan_that_cannot_be_used_is_named_with_the_file_and_the_rule() {
    let rule = |rule: Value| json!({ "rules": [{ "type": "PAGE", "jsonSchema": {} }, rule] }).to_string();
    let track = |schema: Value| rule(json!({ "type": "TRACK", "key": "A", "jsonSchema": schema }));
    let twice = json!({ "rules": [{ "type": "TRACK", "key": "A", "jsonSchema": {} }, { "type": "TRACK", "key": "A", "jsonSchema": {} }] });
    let rows = [
        ("{\n  \"rules\": [,]\n}".to_owned(), "is not JSON: expected value at line 2 column 13"),
        ("7".to_owned(), "is in no format that is known"),
        ("{}".to_owned(), "is in no format that is known"),
        ("{\n  \"rules\": [,]\n}".to_owned(), ", line 2, column 13: is not JSON"),
        (json!({ "rules": [] }).to_string(), "has no rules"),
        (json!({ "data": { "name": "Shop", "rules": [] } }).to_string(), "has no rules"),
        (json!({ "rules": { "events": [] } }).to_string(), "has no rule"),
        (json!({ "events": [] }).to_string(), "has no rules"),
        (json!({ "rules": {} }).to_string(), "has no rule"),
        (json!({ "rules": [], "pagination": { "next": "Mg==" } }).to_string(), "is the first page of several"),
        (rule(json!({ "type": "SELL", "key": "A", "jsonSchema": {} })), "rule 2, SELL \"A\": unknown type \"SELL\""),
        (rule(json!({ "type": "TRACK", "jsonSchema": {} })), "rule 2, TRACK \"\": a track rule without a key"),
        (rule(json!({ "type": "TRACK", "key": "A" })), "rule 2, TRACK \"A\": it has no jsonSchema"),
        (track(json!({ "type": "text" })), "rule 2, TRACK \"A\": the schema cannot be used"),
        (track(json!({ "properties": { "a": { "pattern": "(" } } })), "rule 2, TRACK \"A\": the schema cannot be used"),
        (
            track(json!({ "$ref": "file:///etc/passwd" })),
            "it names the schema file:///etc/passwd, which is not in the plan",
        ),
        (track(json!({ "$ref": "https://example.com/x.json" })), "which is not in the plan"),
        (twice.to_string(), "rule 2, TRACK \"A\": the plan has version 1 of it twice"),
        (json!({ "events": [{ "rules": {} }] }).to_string(), "event 1, \"\": it has no name"),
    ];
    for (text, expected) in rows {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let error = tracklane::text_with_causes(&TrackingPlan::new(file.path()).build().unwrap_err());
        let name = file.path().display().to_string();
        assert!(error.contains(&name) && error.contains(expected) && !error.contains('\n'), "{text}: {error}");
    }
    let broken = tempfile::tempdir().unwrap();
    std::fs::write(broken.path().join("Order Completed.json"), "{\n \"type\"\n}").unwrap();
    let error = TrackingPlan::new(broken.path()).build().unwrap_err().to_string();
    assert!(error.ends_with("Order Completed.json, line 3, column 1: is not JSON"), "{error}");
    let error = TrackingPlan::new("/nowhere/plan.json").build().unwrap_err();
    assert_eq!(error.to_string(), "cannot read the tracking plan /nowhere/plan.json");
    assert!(error.source().is_some());
    let empty = tempfile::tempdir().unwrap();
    assert!(
        TrackingPlan::new(empty.path()).build().unwrap_err().to_string().contains("has no file that ends in .json")
    );
}

#[test]
fn a_schema_of_the_properties_alone_is_refused_where_one_of_the_event_is_expected() {
    let plan = |kind: &str, schema: &Value| {
        let key = if kind == "TRACK" { "A" } else { "" };
        json!({ "rules": [{ "type": kind, "key": key, "jsonSchema": schema }] })
    };
    let wrong = [
        ("TRACK", section(), "\"total\"", "properties"),
        ("TRACK", json!({ "type": "object", "required": ["total"] }), "\"total\"", "properties"),
        ("PAGE", json!({ "properties": { "total": {}, "tax": {} } }), "\"tax\"", "properties"),
        ("IDENTIFY", json!({ "properties": { "email": { "type": "string" } } }), "\"email\"", "traits"),
        ("GROUP", json!({ "properties": { "plan": {} }, "additionalProperties": false }), "\"plan\"", "traits"),
    ];
    for (kind, schema, member, expected) in wrong {
        let error = Plan::parse(&plan(kind, &schema).to_string()).unwrap_err().to_string();
        let told = format!("the schema describes {member} at the top of the event, where no event has it");
        let remedy = format!("write {{\"properties\": {{{expected:?}: {{…}}}}}}");
        assert!(error.contains("rule 1, ") && error.contains(&told) && error.contains(&remedy), "{schema}: {error}");
    }
    let older = json!({ "rules": { "events": [{ "name": "A", "rules": section() }] } });
    let error = Plan::parse(&older.to_string()).unwrap_err().to_string();
    assert!(error.contains("event 1, \"A\": the schema describes \"total\""), "{error}");
    let right = [
        json!({}),
        json!(true),
        json!({ "type": "object" }),
        json!({ "properties": {} }),
        whole(),
        // Of other members of the event, and of one that the application adds.
        json!({ "properties": { "userId": { "type": "string" } }, "required": ["userId", "tenant"] }),
        json!({ "properties": { "tenant": {}, "properties": {} }, "required": ["tenant"] }),
        json!({ "required": ["context"], "properties": { "tenant": {} } }),
        json!({ "required": ["_metadata"] }),
        // What is said elsewhere may describe the event.
        json!({ "properties": { "tenant": {} }, "allOf": [whole()] }),
        json!({ "properties": { "tenant": {} }, "$ref": "#/definitions/a", "definitions": { "a": whole() } }),
        json!({ "properties": { "tenant": {} }, "dependencies": { "tenant": ["properties"] } }),
    ];
    for schema in right {
        for kind in ["TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN"] {
            let text = plan(kind, &schema).to_string();
            assert!(Plan::parse(&text).is_ok(), "{text}: {:?}", Plan::parse(&text));
        }
    }
    let common = json!({ "rules": [{ "type": "COMMON", "jsonSchema": { "required": ["tenant"] } }] });
    assert!(Plan::parse(&common.to_string()).is_ok(), "of every call, so of no section");
}
