//! Runs the example programs as a user does: as processes of their own.

use std::process::Output;

use serde_json::{Value, json};
use tracklane::testing::{Reply, TrackingApi};

use crate::support::{api, example};

struct Played {
    exit: Option<i32>,
    result: Value,
    log: String,
}

fn read(output: Output) -> Played {
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out.lines().count(), 1, "one JSON object and nothing else: {out}");
    let result: Value = serde_json::from_str(&out).unwrap();
    assert!(result["success"].is_boolean() && result["sentBatches"].is_u64(), "{result}");
    assert_eq!(result["success"] == false, result["error"].is_string(), "{result}");
    Played { exit: output.status.code(), result, log: String::from_utf8(output.stderr).unwrap() }
}

fn run(script: &Value) -> Played {
    let output = example("e2e_cli").arg("--input").arg(script.to_string()).output().unwrap();
    read(output)
}

fn script(api: &TrackingApi, events: Value, config: Value) -> Value {
    json!({"writeKey": "k", "apiHost": api.url(), "sequences": [{"delayMs": 0, "events": events}], "config": config})
}

fn one() -> Value {
    json!([{"type": "track", "event": "Test", "userId": "u1", "messageId": "m1"}])
}

fn succeeded(played: &Played, batches: u64) {
    assert_eq!(played.result, json!({"success": true, "sentBatches": batches}), "{}", played.log);
    assert_eq!(played.exit, Some(0));
}

fn failed(played: &Played, said: &str, batches: u64) {
    assert_eq!((&played.result["success"], played.exit), (&json!(false), Some(1)));
    assert_eq!(played.result["sentBatches"], batches, "{}", played.result);
    assert!(played.result["error"].as_str().unwrap().contains(said), "{}", played.result);
}

#[test]
fn events_arrive_as_given() {
    let api = api();
    let events = json!([
        {"type": "track", "event": "Test", "userId": "u1", "anonymousId": "a1", "messageId": "m1",
         "timestamp": "2011-05-03T14:05:00.123Z", "properties": {"n": 1}, "context": {"ip": "192.0.2.1"},
         "integrations": {"All": true}},
        {"type": "identify", "userId": "u1", "traits": {"plan": "Free"}},
        {"type": "page", "anonymousId": "a1", "name": "Home", "category": "Docs"},
        {"type": "screen", "anonymousId": "a1", "name": "Home"},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {}},
        {"type": "alias", "userId": "u1", "previousId": "a1"},
    ]);
    succeeded(&run(&script(&api, events.clone(), json!({}))), 1);
    let arrived = api.events();
    for (given, arrived) in events.as_array().unwrap().iter().zip(&arrived) {
        for (field, value) in given.as_object().unwrap() {
            let same =
                if field == "context" { arrived["context"]["ip"] == value["ip"] } else { arrived[field] == *value };
            assert!(same, "{field} of {given}: {arrived}");
        }
    }
    assert_eq!(arrived[1].get("anonymousId"), None, "no id is invented");
    assert_eq!(api.requests()[0].header("authorization"), Some("Basic azo="));
}

#[test]
fn batches_split_at_flush_at_and_sequences_are_played_in_order() {
    let api = api();
    let event = |n: u32| json!({"type": "track", "event": n.to_string(), "userId": "u1"});
    let script = json!({
        "writeKey": "k", "apiHost": api.url(), "config": {"flushAt": 2, "flushInterval": 60_000},
        "sequences": [{"delayMs": 0, "events": [event(0), event(1)]}, {"events": [event(2), event(3)]},
                      {"delayMs": 5, "events": [event(4)]}],
    });
    succeeded(&run(&script), 3);
    let mut sizes: Vec<usize> = api.requests().iter().map(|request| request.events().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2, 2]);
}

#[test]
fn a_refused_event_is_the_error_and_the_rest_goes_on() {
    let api = api();
    let events = json!([{"type": "track", "event": "no id"}, {"type": "nonsense"}, one()[0]]);
    let played = run(&script(&api, events, json!({})));
    failed(&played, "neither userId nor anonymousId", 1);
    assert_eq!(api.delivered_ids(), ["m1"]);
    assert!(played.log.contains("nonsense"), "the second is in the log: {}", played.log);
}

#[test]
fn an_http_status_that_is_final_is_named() {
    for status in [400, 401, 403, 404, 413, 501] {
        let api = api();
        api.set_default(Reply::status(status));
        failed(&run(&script(&api, one(), json!({}))), &status.to_string(), 0);
        assert_eq!(api.request_count(), 1, "{status} is not tried again");
    }
}

#[test]
fn a_status_that_is_tried_again_is_named_when_retries_are_over() {
    let api = api();
    api.set_default(Reply::status(500));
    failed(&run(&script(&api, one(), json!({"maxRetries": 1}))), "500", 0);
    assert_eq!(api.request_count(), 2);
}

#[test]
fn a_retry_that_succeeds_is_a_success() {
    let api = api();
    api.script([Reply::status(503), Reply::reset()]);
    succeeded(&run(&script(&api, one(), json!({"maxRetries": 3}))), 1);
    assert_eq!((api.request_count(), api.delivered_ids()), (3, vec!["m1".to_owned()]));
}

#[test]
fn a_server_that_hangs_costs_the_timeout_and_no_more() {
    let api = api();
    api.set_default(Reply::hang());
    let start = std::time::Instant::now();
    let played = run(&script(&api, one(), json!({"timeout": 0.3})));
    assert!(start.elapsed() < crate::support::SOON);
    failed(&played, "m1", 0);
    assert!(played.result["error"].as_str().unwrap().contains("closed"), "{}", played.result);

    let played = run(&script(&api, one(), json!({"httpRequestTimeout": 50, "maxRetries": 0})));
    failed(&played, "did not end within 50ms", 0);
}

#[test]
fn a_large_script_comes_from_a_file() {
    let api = api();
    let filler = "x".repeat(30_000);
    let events: Vec<Value> =
        (0..20).map(|_| json!({"type": "track", "event": "e", "userId": "u", "properties": {"f": filler}})).collect();
    let path = std::env::temp_dir().join(format!("tracklane-e2e-{}.json", std::process::id()));
    std::fs::write(&path, script(&api, json!(events), json!({"flushAt": 100})).to_string()).unwrap();
    let output = example("e2e_cli").arg("--input-file").arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    succeeded(&read(output), 2);
    assert_eq!(api.events().len(), 20);
}

#[test]
fn a_script_or_setting_that_is_wrong_is_an_error() {
    let api = api();
    let table = [
        (script(&api, one(), json!({"flushAt": 0})), "flush_at is 0"),
        (json!({"sequences": []}), "writeKey"),
        (json!({"writeKey": "", "sequences": []}), "write_key"),
        (json!({"writeKey": "k", "apiHost": "nowhere", "sequences": []}), "host is \"nowhere\""),
        (json!({"writeKey": "k", "config": {"timeout": -1}}), "negative"),
    ];
    for (script, said) in table {
        failed(&run(&script), said, 0);
    }
    let output = example("e2e_cli").output().unwrap();
    failed(&read(output), "usage", 0);
    assert_eq!(api.request_count(), 0);
}

#[test]
fn the_quickstart_shows_six_events() {
    let output = example("quickstart").env_remove("TRACKLANE_WRITE_KEY").output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("6 events delivered in 1 request(s) to http://127.0.0.1:"), "{said}");
    for shown in ["identify", "track", "page", "screen", "group", "alias", "Item Purchased", "revenue", "--write-key"] {
        assert!(said.contains(shown), "{shown} in {said}");
    }
    assert_eq!(said.matches(r#""app":{"name":"quickstart""#).count(), 6, "the plugin saw all six: {said}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_event_whose_json_is_wrong_costs_none_of_the_others() {
    let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
    let wrong = [format!(r#"{{"deep": {deep}}}"#), r#"{"n": 1e400}"#.to_owned(), r#"{"s": "\ud83d"}"#.to_owned()];
    for properties in wrong {
        let api = api();
        let good = r#"{"type": "track", "event": "Test", "userId": "u1"}"#;
        let bad = format!(r#"{{"type": "track", "event": "Test", "userId": "u1", "properties": {properties}}}"#);
        let events = format!("[{good}, {bad}, {good}]");
        let script = format!(
            r#"{{"writeKey": "k", "apiHost": "{}", "sequences": [{{"delayMs": 0.0, "events": {events}}}], "config": null}}"#,
            api.url()
        );
        let played = read(example("e2e_cli").arg("--input").arg(script).output().unwrap());
        assert_eq!((played.exit, &played.result["sentBatches"]), (Some(1), &json!(1)), "{}", played.log);
        assert_eq!(api.events().len(), 2, "{}", played.log);
    }
}

#[test]
fn a_script_larger_than_the_queue_waits_for_room() {
    let api = api();
    let event = json!({"type": "track", "event": "Test", "userId": "u1"});
    let script = script(&api, Value::from(vec![event; 15_000]), json!({"flushAt": 100, "flushInterval": 1000.0}));
    let path = std::env::temp_dir().join(format!("tracklane-script-{}.json", std::process::id()));
    std::fs::write(&path, script.to_string()).unwrap();
    let played = read(example("e2e_cli").arg("--input-file").arg(&path).output().unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!((played.exit, &played.result["success"]), (Some(0), &json!(true)), "{}", played.log);
    assert_eq!(api.events().len(), 15_000);
}

#[test]
fn the_first_error_is_that_of_the_first_event() {
    let api = api();
    api.set_default(Reply::status(404));
    let events = json!([{"type": "track", "event": "Test", "userId": "u1"}, {"type": "track", "event": "Test"}]);
    failed(&run(&script(&api, events, json!({}))), "404", 0);
}
