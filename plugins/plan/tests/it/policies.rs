//! The plugin in a client: each action, for each kind of finding.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Event, Group, Identify, Kind, Page, Track};
use tracklane_plan::{Action, PlanSettings, Policy, TrackingPlan};

const PLAN: &str = r#"{"name": "Shop", "id": "tp_1", "rules": [
    {"type": "TRACK", "key": "Order Completed", "version": 1, "jsonSchema": {"type": "object", "properties": {
        "context": {}, "traits": {}, "properties": {"type": "object", "required": ["total"], "properties": {
            "total": {"type": "number", "minimum": 0}, "currency": {"enum": ["EUR", "USD"]},
            "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}}}}},
    {"type": "TRACK", "key": "Order Completed", "version": 2, "jsonSchema": {"type": "object", "properties": {
        "properties": {"type": "object", "required": ["amount"], "properties": {"amount": {}}}}}},
    {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {
        "email": {"type": "string"}, "age": {"type": ["integer", "null"]}}}}}},
    {"type": "COMMON", "jsonSchema": {"properties": {"userId": {"pattern": "^u[0-9]+$"}}}}
]}"#;

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// Sends the event through the plugin with `policy` for every kind. What arrives, or null.
fn through(policy: Policy, event: impl Into<Event>) -> Value {
    let file = file(PLAN);
    let of = |kind| if kind == Kind::Track { policy } else { policy.unplanned_events(Action::Flag) };
    let plan = Kind::ALL.iter().fold(TrackingPlan::new(file.path()), |plan, kind| plan.policy(*kind, of(*kind)));
    arrived(&plan, event)
}

fn arrived(plan: &TrackingPlan, event: impl Into<Event>) -> Value {
    let recording = RecordingDestination::new("Recording");
    let analytics = Analytics::builder().plugin(plan.build().unwrap()).plugin(recording.destination()).build().unwrap();
    analytics.send(event).unwrap();
    assert_eq!(analytics.close_blocking(Duration::from_secs(5)).pending, 0);
    recording.events().first().map_or(Value::Null, |event| serde_json::to_value(event).unwrap())
}

fn order(properties: Value) -> Track {
    Track::new("Order Completed").user_id("u1").properties(properties)
}

fn all(action: Action) -> Policy {
    Policy::new().unplanned_properties(action).violations(action)
}

#[test]
fn what_is_planned_passes_unchanged_whatever_the_policy() {
    let properties = json!({ "total": 39.950, "currency": "EUR", "items": [{ "sku": "a" }] });
    for action in [Action::Allow, Action::Flag, Action::Omit, Action::Block] {
        let seen = through(all(action), order(properties.clone()));
        assert_eq!(seen["properties"], properties, "{action:?}");
        assert_eq!(seen["context"].get("protocols"), None, "{action:?}: {seen}");
    }
    let blocking = all(Action::Block).unplanned_events(Action::Block);
    assert!(!through(blocking, Page::new("Home").user_id("u1")).is_null(), "pages have no rule");
    assert!(!through(blocking, Group::new("g").user_id("u1")).is_null());
}

#[test]
fn each_action_does_what_it_says_about_each_kind_of_finding() {
    // What is sent, the violations in Segment's form, and what is left of the properties once they are omitted.
    let rows = [
        (json!({ "total": 1, "note": "x" }), json!([["Unplanned Property", "properties.note"]]), json!({ "total": 1 })),
        (
            json!({ "total": 1, "items": [{ "sku": "a", "name": "b" }] }),
            json!([["Unplanned Property", "properties.items.0.name"]]),
            json!({ "total": 1, "items": [{ "sku": "a" }] }),
        ),
        (json!({}), json!([["Required", "properties.total"]]), json!({})),
        (json!({ "total": "1" }), json!([["Invalid Type", "properties.total"]]), json!({})),
        (json!({ "total": -1 }), json!([["Range", "properties.total"]]), json!({})),
        (json!({ "total": 1, "currency": "GBP" }), json!([["Enum", "properties.currency"]]), json!({ "total": 1 })),
        (
            json!({ "total": 1, "items": [{ "sku": 7 }, { "sku": "b" }] }),
            json!([["Invalid Type", "properties.items.0.sku"]]),
            json!({ "total": 1, "items": [{}, { "sku": "b" }] }),
        ),
        (json!({ "total": 1, "items": ["a"] }), json!([["Invalid Type", "properties.items.0"]]), json!({ "total": 1 })),
    ];
    for (sent, violations, left) in rows {
        let seen = through(all(Action::Flag), order(sent.clone()));
        let found = seen["context"]["protocols"]["violations"].as_array().cloned().unwrap_or_default();
        let found: Vec<Value> = found.iter().map(|found| json!([found["type"], found["field"]])).collect();
        assert_eq!(json!(found), violations, "{sent}");
        assert_eq!(seen["properties"], sent, "a flag changes nothing");

        let seen = through(all(Action::Omit), order(sent.clone()));
        assert_eq!(seen["properties"], left, "{sent}");
        assert_eq!(through(all(Action::Block), order(sent.clone())), Value::Null, "{sent}");

        let seen = through(all(Action::Allow), order(sent.clone()));
        assert_eq!((&seen["properties"], seen["context"].get("protocols")), (&sent, None));
    }
}

#[test]
fn what_was_omitted_is_named_and_the_words_are_those_of_segment() {
    let context = json!({ "protocols": { "event_version": 1, "mine": true } });
    let event = order(json!({ "total": "39.95", "note": "hunter2" })).context(context);
    let seen = through(all(Action::Omit), event);
    let expected = json!({
        "event_version": 1, "mine": true,
        "omitted": ["properties.note"],
        "omitted_on_violation": ["properties.total"],
        "violations": [
            { "type": "Unplanned Property", "field": "properties.note",
              "description": "properties.note is not in the tracking plan" },
            { "type": "Invalid Type", "field": "properties.total",
              "description": "properties.total has an invalid type. Expected: number, given: string" },
        ],
    });
    assert_eq!(seen["context"]["protocols"], expected);
    let seen = through(all(Action::Flag), order(json!({})));
    let required =
        json!({ "type": "Required", "field": "properties.total", "description": "properties.total is required" });
    assert_eq!(seen["context"]["protocols"]["violations"], json!([required]));
}

#[test]
fn an_event_that_is_not_planned_is_flagged_or_blocked() {
    let event = || Track::new("Order Cancelled").user_id("u1");
    let flagged = through(Policy::new(), event());
    let violation = &flagged["context"]["protocols"]["violations"][0];
    assert_eq!(violation["description"], "the event \"Order Cancelled\" is not in the tracking plan");
    assert_eq!(through(Policy::new().unplanned_events(Action::Block), event()), Value::Null);
    let allowed = through(Policy::new().unplanned_events(Action::Allow), event());
    assert_eq!(allowed["context"].get("protocols"), None);
}

#[test]
fn the_oldest_version_counts_unless_another_is_asked_for() {
    let asking = |version: Value| {
        let event = order(json!({ "total": 1 })).context(json!({ "protocols": { "event_version": version } }));
        through(Policy::new(), event)["context"]["protocols"].get("violations").cloned()
    };
    assert_eq!(asking(json!(1)), None);
    let fields: Vec<Value> =
        asking(json!(2)).unwrap().as_array().unwrap().iter().map(|it| it["field"].clone()).collect();
    assert_eq!(fields, ["properties.total", "properties.amount"]);
    for oldest in [json!(3), json!("2"), json!(null), json!(1.5)] {
        assert_eq!(asking(oldest.clone()), None, "{oldest}");
    }
}

#[test]
fn traits_have_their_rule_and_every_call_the_common_one() {
    let traits = json!({ "email": 7, "age": null, "plan": "pro" });
    let seen = through(all(Action::Omit), Identify::new().user_id("u1").traits(traits));
    assert_eq!(seen["traits"], json!({ "age": null }));
    assert_eq!(seen["context"]["protocols"]["omitted"], json!(["traits.plan"]));
    let seen = through(all(Action::Omit), Page::new("Home").user_id("ann"));
    assert_eq!(seen["userId"], "ann", "an id is never omitted");
    assert_eq!(seen["context"]["protocols"]["violations"][0]["field"], "userId");
    assert!(through(all(Action::Block), Page::new("Home").user_id("ann")).is_null());
}

#[test]
fn what_is_blocked_can_go_to_a_quarantine_and_nothing_else_does() {
    let file = file(PLAN);
    let (main, dead) = (RecordingDestination::new("Main"), RecordingDestination::new("Dead"));
    let plan =
        TrackingPlan::new(file.path()).policy(Kind::Track, all(Action::Block)).quarantine("Dead").source_id("src");
    let analytics = Analytics::builder()
        .plugin(plan.build().unwrap())
        .plugin(main.destination().ignores_all(true)) // As Segment's does.
        .plugin(dead.destination())
        .build()
        .unwrap();
    analytics.track(order(json!({ "total": 1 }))).unwrap();
    analytics.track(order(json!({ "total": "x" })).integrations(json!({ "Main": true }))).unwrap();
    let report = analytics.close_blocking(Duration::from_secs(5));
    assert!(report.is_complete());
    assert_eq!((report.delivered, report.dropped), (1, 1), "what is blocked counts as dropped");
    assert_eq!(main.events()[0].integrations(), None, "of what is not blocked the quarantine leaves no trace");
    let of = |recording: &RecordingDestination| {
        recording.events().iter().map(|event| event.section().get("total").unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((of(&main), of(&dead)), (vec![json!(1)], vec![json!("x")]));
    let protocols = dead.events()[0].context().get("protocols").unwrap();
    assert_eq!((&protocols["sourceId"], &protocols["violations"][0]["type"]), (&json!("src"), &json!("Invalid Type")));
}

#[test]
fn the_report_counts_and_the_listener_hears_what_was_found() {
    let file = file(PLAN);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let plan = TrackingPlan::new(file.path()).on_violation(move |event, violation| {
        listener.lock().unwrap().push(format!("{} {violation}", event.kind()));
    });
    let report = plan.report();
    for _ in 0..2 {
        arrived(&plan, Track::new("Order Cancelled").user_id("u1"));
    }
    arrived(&plan, Track::new("Another").user_id("u1"));
    arrived(&plan, order(json!({ "total": "hunter2" })));
    let unplanned: Vec<(String, u64)> = report.unplanned().into_iter().map(|it| (it.event, it.count)).collect();
    assert_eq!(unplanned, [("Order Cancelled".to_owned(), 2), ("Another".to_owned(), 1)]);
    assert_eq!((report.checked(), report.blocked()), (4, 0));
    let expected = "4 events checked, 0 blocked\n2 × Unplanned Event: \"Order Cancelled\"\n1 × Unplanned Event: \"Another\"\n\
                    1 × Invalid Type: properties.total of \"Order Completed\"";
    assert_eq!(report.to_string(), expected);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 4);
    assert!(!heard.concat().contains("hunter2"), "{heard:?}");
}

#[test]
fn settings_are_read_from_data_and_an_unknown_member_is_an_error() {
    let file = file(PLAN);
    let text = format!(
        r#"{{ "plan": {:?}, "track": {{ "unplanned_events": "block" }}, "identify": {{ "unplanned_traits": "omit" }} }}"#,
        file.path()
    );
    let plan = TrackingPlan::from(serde_json::from_str::<PlanSettings>(&text).unwrap());
    assert!(arrived(&plan, Track::new("Other").user_id("u1")).is_null());
    let seen = arrived(&plan, Identify::new().user_id("u1").traits(json!({ "plan": "pro" })));
    assert_eq!(seen.get("traits").cloned().unwrap_or_else(|| json!({})), json!({}));
    for wrong in [
        text.replace("\"track\"", "\"tracks\""),
        text.replace("unplanned_events", "unplanned"),
        text.replace("\"omit\"", "\"remove\""),
    ] {
        assert!(serde_json::from_str::<PlanSettings>(&wrong).is_err(), "{wrong}");
    }
    let omitted = TrackingPlan::new(file.path()).policy(Kind::Track, Policy::new().unplanned_events(Action::Omit));
    let error = omitted.build().unwrap_err().to_string();
    assert!(error.starts_with("the policy of track calls: unplanned events cannot be omitted"), "{error}");
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Track) {
        for action in [Action::Block, Action::Omit] {
            let plan = TrackingPlan::new(file.path()).policy(kind, Policy::new().unplanned_events(action));
            let error = plan.build().unwrap_err().to_string();
            let told = format!("the policy of {kind} calls: only track calls have events to plan");
            assert!(error.starts_with(&told), "{error}");
        }
        let plan = TrackingPlan::new(file.path()).policy(kind, Policy::new().unplanned_events(Action::Allow));
        assert!(plan.build().is_ok(), "they pass anyway");
    }
    let table = [
        (TrackingPlan::new(file.path()).quarantine(""), "quarantine"),
        (TrackingPlan::new(file.path()).source_id(" "), "source_id"),
        (TrackingPlan::new(""), "plan"),
    ];
    for (plan, setting) in table {
        let error = plan.build().unwrap_err().to_string();
        assert!(error.starts_with(&format!("setting {setting}: is empty: ")), "{error}");
    }
}
