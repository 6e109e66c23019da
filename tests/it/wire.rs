//! Compares requests with literal JSON.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::event::{Context, Integrations};
use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Screen};

use crate::support::{SOON, api, client, quick_retries, segment, track};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Sends one event. Returns the event that arrived.
fn sent(event: impl Into<Event>) -> Value {
    let api = api();
    let analytics = client(&api).clock(ManualClock::new()).build().unwrap();
    analytics.send(event).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    api.events().remove(0)
}

fn library() -> Value {
    json!({ "name": "tracklane", "version": VERSION })
}

#[test]
fn the_six_calls_make_this_request() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(6)).clock(ManualClock::new()).build().unwrap();
    let six: [Event; 6] = [
        track("Item Purchased").message_id("m1").anonymous_id("a1").property("revenue", 39.95).into(),
        Identify::new().message_id("m2").user_id("u1").with_trait("plan", "Free").into(),
        Page::new("Pricing").message_id("m3").category("Docs").user_id("u1").property("path", "/pricing").into(),
        Screen::new("Welcome").message_id("m4").category("Start").anonymous_id("a1").property("n", 1).into(),
        Group::new("g1").message_id("m5").user_id("u1").with_trait("name", "Initech").into(),
        Alias::new("a1", "u1").message_id("m6").into(),
    ];
    for event in six {
        analytics.send(event).unwrap();
    }
    // Six events fill a batch, so no flush is needed.
    assert_eq!(api.wait_for_events(6, SOON).len(), 6);

    let requests = api.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method().as_str(), request.path(), request.query()), ("POST", "/v1/batch", None));
    assert_eq!(request.header("authorization"), Some("Basic V1JJVEVfS0VZOg=="), "base64 of \"WRITE_KEY:\"");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some(format!("tracklane/{VERSION}").as_str()));
    assert_eq!(request.header("content-length"), Some(request.body().len().to_string().as_str()));
    assert_eq!(request.header("x-retry-count"), None);
    assert_eq!(request.header("content-encoding"), None);

    let (at, context) = ("2009-11-10T23:00:00.000Z", json!({ "library": library() }));
    let expected = json!({
        "batch": [
            {"type": "track", "messageId": "m1", "timestamp": at, "userId": "u1", "anonymousId": "a1",
             "event": "Item Purchased", "properties": {"revenue": 39.95}, "context": context},
            {"type": "identify", "messageId": "m2", "timestamp": at, "userId": "u1",
             "traits": {"plan": "Free"}, "context": context},
            {"type": "page", "messageId": "m3", "timestamp": at, "userId": "u1", "name": "Pricing",
             "category": "Docs", "properties": {"path": "/pricing", "category": "Docs"}, "context": context},
            {"type": "screen", "messageId": "m4", "timestamp": at, "anonymousId": "a1", "name": "Welcome",
             "category": "Start", "properties": {"n": 1, "category": "Start"}, "context": context},
            {"type": "group", "messageId": "m5", "timestamp": at, "userId": "u1", "groupId": "g1",
             "traits": {"name": "Initech"}, "context": context},
            {"type": "alias", "messageId": "m6", "timestamp": at, "userId": "u1", "previousId": "a1",
             "context": context},
        ],
        "writeKey": "WRITE_KEY",
        "sentAt": at,
    });
    assert_eq!(request.json().unwrap(), expected);
}

#[test]
fn an_attempt_has_its_own_sent_at_and_count_and_the_same_events() {
    let (api, clock) = (api(), ManualClock::new());
    api.script([Reply::status(503), Reply::status(500)]);
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).clock(clock.clone()).build().unwrap();
    analytics.track(track("x")).unwrap();
    for attempt in 1..=2 {
        assert_eq!(api.wait_for_requests(attempt, SOON).len(), attempt);
        assert!(clock.wait_for_sleeper(..=Duration::from_secs(1)), "the backoff");
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(api.wait_for_events(1, SOON).len(), 1);

    let bodies: Vec<Value> = api.requests().iter().map(|request| request.json().unwrap()).collect();
    let sent_at: Vec<&Value> = bodies.iter().map(|body| &body["sentAt"]).collect();
    assert_eq!(sent_at, ["2009-11-10T23:00:00.000Z", "2009-11-10T23:00:01.000Z", "2009-11-10T23:00:02.000Z"]);
    assert!(bodies.iter().all(|body| body["batch"] == bodies[0]["batch"]), "ids and timestamps stay");
    let counts: Vec<_> =
        api.requests().iter().map(|request| request.header("x-retry-count").map(str::to_owned)).collect();
    assert_eq!(counts, [None, Some("1".into()), Some("2".into())]);
}

#[test]
fn what_is_not_set_is_not_sent() {
    let event = sent(track("x").message_id("m"));
    let expected = json!({
        "type": "track", "messageId": "m", "timestamp": "2009-11-10T23:00:00.000Z", "userId": "u1", "event": "x",
        "context": {"library": library()},
    });
    assert_eq!(event, expected);
    let made = sent(track("x"))["messageId"].as_str().unwrap().to_owned();
    assert_eq!(made.parse::<uuid::Uuid>().unwrap().get_version_num(), 4, "{made}");
}

#[test]
fn context_is_merged_deeply_default_then_plugin_then_call() {
    let api = api();
    let defaults = Context::from(json!({
        "app": {"name": "default", "version": "1", "namespace": "ns"}, "locale": "de", "ip": "203.0.113.1",
    }));
    let analytics = client(&api).context(defaults).build().unwrap();
    let from_plugin = Context::from(json!({"app": {"name": "plugin", "build": 7}, "locale": "en", "tags": [1]}));
    let plugin = enrichment_fn("context", move |event: &mut Event| event.add_context(&from_plugin));
    pollster::block_on(analytics.register(plugin)).unwrap();
    analytics.track(track("x").context(json!({"app": {"build": 8}, "tags": [2], "ip": null}))).unwrap();
    analytics.track(track("bare")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());

    let contexts: Vec<Value> = api.events().iter().map(|event| event["context"].clone()).collect();
    assert_eq!(
        contexts[0],
        json!({
            "app": {"name": "plugin", "version": "1", "namespace": "ns", "build": 8},
            "locale": "en", "tags": [2], "ip": null, "library": library(),
        })
    );
    assert_eq!(contexts[1]["app"], json!({"name": "plugin", "version": "1", "namespace": "ns", "build": 7}));
}

#[test]
fn what_a_call_says_of_the_library_stays() {
    let event = sent(track("x").context(json!({"library": {"name": "wrapper"}})));
    assert_eq!(event["context"]["library"], json!({"name": "wrapper", "version": VERSION}));
}

#[test]
fn all_is_written_as_the_spec_writes_it() {
    let expected = json!({"All": false, "Mixpanel": {"token": "t"}});
    let objects = json!({"all": false, "Mixpanel": {"token": "t"}});
    assert_eq!(sent(track("x").integrations(&objects))["integrations"], expected);
    let typed = Integrations::new().all(true).all(false).with("Mixpanel", json!({"token": "t"}));
    assert_eq!(sent(track("x").integrations(typed))["integrations"], expected);
    let one_by_one = track("x").integration("all", false).integration("Mixpanel", json!({"token": "t"}));
    assert_eq!(sent(one_by_one)["integrations"], expected);
    let json = json!({"type": "track", "event": "x", "userId": "u", "integrations": objects});
    assert_eq!(sent(Event::try_from(json).unwrap())["integrations"], expected);
}

#[test]
fn ids_keep_every_digit() {
    let uuid = uuid::Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
    let table: [(Event, &str); 6] = [
        (track("x").user_id("019mr8mf4r").into(), "019mr8mf4r"),
        (track("x").user_id(9_007_199_254_740_993_u64).into(), "9007199254740993"),
        (track("x").user_id(u128::MAX).into(), "340282366920938463463374607431768211455"),
        (track("x").user_id(-7).into(), "-7"),
        (track("x").user_id(0).into(), "0"),
        (track("x").user_id(uuid).into(), "12345678-9abc-def0-1234-56789abcdef0"),
    ];
    for (event, expected) in table {
        assert_eq!(sent(event)["userId"], expected);
    }
    let from_json = json!({"type": "track", "event": "x", "userId": 18_446_744_073_709_551_615_u64});
    assert_eq!(sent(Event::try_from(from_json).unwrap())["userId"], "18446744073709551615");
    assert_eq!(sent(Group::new(7).user_id(1))["groupId"], "7");
    assert_eq!(sent(Alias::new(1, uuid))["previousId"], "1");
}

#[test]
fn values_are_kept_as_given() {
    let big = 9_007_199_254_740_993_u64;
    let event = track("x")
        .property("false", false)
        .property("zero", 0)
        .property("null", None::<u8>)
        .property("empty", "")
        .property("with space", json!({}))
        .property("big", big)
        .property("low", i64::MIN)
        .property("text", "a\"b\\c\n\u{1}\u{2028}𝄞")
        .property("twice", "first")
        .property("twice", "second");
    let properties = sent(event)["properties"].clone();
    let expected = json!({
        "false": false, "zero": 0, "null": null, "empty": "", "with space": {}, "big": big, "low": i64::MIN,
        "text": "a\"b\\c\n\u{1}\u{2028}𝄞", "twice": "second",
    });
    assert_eq!(properties, expected);
    // The same through the map that many members are.
    let mut many = track("x");
    for n in 0..100 {
        many = many.property(format!("k{n}"), n).property("twice", n).property("big", big);
    }
    let properties = sent(many)["properties"].clone();
    assert_eq!((properties.as_object().unwrap().len(), &properties["twice"]), (102, &json!(99)));
    assert_eq!((&properties["big"], &properties["k42"]), (&json!(big), &json!(42)));
}

#[test]
fn raw_json_goes_out_as_the_value_it_is() {
    let raw =
        serde_json::value::RawValue::from_string("{ \"a\" : [ 1 , \"]\\\" }\" ] ,\n \"b\": 1.0 }".into()).unwrap();
    let expected = json!({"a": [1, "]\" }"], "b": 1.0});
    let event = track("x").property("before", 1).property("raw", &raw).property("after", 2).property("raw2", &raw);
    assert_eq!(
        sent(event)["properties"],
        json!({"before": 1, "raw": expected, "after": 2, "raw2": expected}),
        "as a member"
    );
    assert_eq!(sent(track("x").property("a", 0).properties(&raw))["properties"], expected, "as the section");
}

#[test]
fn the_path_and_host_come_in_every_spelling() {
    for (host, path) in [("/", "/v1/batch"), ("/v1", "v1/batch"), ("/v1/", "/v1/batch/"), ("", "/v1/import")] {
        let api = api();
        let host = format!("{}{host}", api.url());
        let analytics = Analytics::builder().segment(Segment::new("k").host(host).path(path)).build().unwrap();
        analytics.track(track("x")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete(), "{path}");
        assert_eq!(
            api.requests()[0].path().trim_start_matches("/v1/"),
            path.trim_matches('/').trim_start_matches("v1/")
        );
    }
}

#[test]
fn requests_one_after_the_other_use_one_connection() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1).max_in_flight(1)).build().unwrap();
    let long = "x".repeat(30_000);
    // Batches of 500,000 bytes at most, so that the next one is ready as soon as the one before is answered.
    (0..320).for_each(|_| analytics.send(track("x").property("long", &*long)).unwrap());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(api.request_count() > 20, "{} requests", api.request_count());
    assert_eq!(api.connections(), 1, "a request opened a connection although one was free");
}

#[test]
fn headers_that_are_added_go_along_with_every_request() {
    let api = api();
    api.script([Reply::status(503)]);
    let segment = Segment::new("WRITE_KEY").host(api.url()).header("X-Strict-Mode", "1").header("anonymousid", "a1");
    let retry = segment.retry(quick_retries(3));
    let analytics = Analytics::builder().segment(retry).build().unwrap();
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let requests = api.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let headers = ["x-strict-mode", "anonymousid"].map(|name| request.headers().get(name).cloned().unwrap());
        assert_eq!(headers, ["1", "a1"]);
    }
}

#[test]
fn a_header_that_the_request_decides_on_is_refused() {
    let table = [
        ("Authorization", "x", "is set by the request itself"),
        ("content-length", "x", "is set by the request itself"),
        ("a b", "x", "is not the name of a header"),
        ("X-Key", "hunter2\n", "has a value that is not valid in a header"),
    ];
    for (name, value, problem) in table {
        let error = Segment::new("WRITE_KEY").header(name, value).build().unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains(name) && !error.contains("hunter2"), "{error}");
    }
}
