//! Cases from Segment's own test suites: the twelve fixtures of analytics-go, and the commands of the cross-library
//! tester.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::testing::ManualClock;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Screen, Track};

use crate::support::{SOON, api, segment};

/// Returns the arrived event, without the members that every event has.
fn body_of(event: impl Into<Event>) -> Value {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).clock(ManualClock::new()).build().unwrap();
    analytics.send(event).unwrap();
    let mut event = api.wait_for_events(1, SOON).remove(0);
    let members = event.as_object_mut().unwrap();
    members["context"].as_object_mut().unwrap().remove("library").expect("a library");
    if members["context"].as_object().unwrap().is_empty() {
        members.remove("context");
    }
    event
}

fn download() -> Track {
    Track::new("Download").user_id("123456").message_id("I'm unique").properties(json!({
        "application": "Segment Desktop", "version": "1.1.0", "platform": "osx",
    }))
}

fn framed(kind: &str, rest: Value) -> Value {
    let mut event = json!({"type": kind, "messageId": "I'm unique", "timestamp": "2009-11-10T23:00:00.000Z"});
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    event
}

fn downloaded(rest: Value) -> Value {
    let mut event = framed(
        "track",
        json!({
            "event": "Download", "userId": "123456",
            "properties": {"application": "Segment Desktop", "version": "1.1.0", "platform": "osx"},
        }),
    );
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    event
}

#[test]
fn ten_fixtures_of_analytics_go() {
    let id = "I'm unique";
    let integrations = json!({"All": true, "Intercom": false, "Mixpanel": true});
    let table: [(&str, Event, Value); 10] = [
        (
            "alias",
            Alias::new("A", "B").message_id(id).into(),
            framed("alias", json!({"previousId": "A", "userId": "B"})),
        ),
        (
            "group",
            Group::new("A").user_id("B").message_id(id).into(),
            framed("group", json!({"groupId": "A", "userId": "B"})),
        ),
        ("identify", Identify::new().user_id("B").message_id(id).into(), framed("identify", json!({"userId": "B"}))),
        (
            "page",
            Page::new("A").user_id("B").message_id(id).into(),
            framed("page", json!({"name": "A", "userId": "B"})),
        ),
        (
            "screen",
            Screen::new("A").user_id("B").message_id(id).into(),
            framed("screen", json!({"name": "A", "userId": "B"})),
        ),
        ("track", download().into(), downloaded(json!({}))),
        (
            "context",
            download().context(json!({"whatever": "here"})).into(),
            downloaded(json!({"context": {"whatever": "here"}})),
        ),
        (
            "integrations",
            download().integrations(&integrations).into(),
            downloaded(json!({"integrations": integrations})),
        ),
        ("messageid", download().message_id("abc").into(), downloaded(json!({"messageId": "abc"}))),
        (
            "timestamp",
            download().timestamp("2015-07-10T23:00:00Z".parse::<tracklane::event::Timestamp>().unwrap()).into(),
            downloaded(json!({"timestamp": "2015-07-10T23:00:00.000Z"})),
        ),
    ];
    for (fixture, event, expected) in table {
        assert_eq!(body_of(event), expected, "test-{fixture}");
    }
}

#[test]
fn the_interval_fixture_of_analytics_go() {
    let (api, clock) = (api(), ManualClock::new());
    let interval = Duration::from_millis(100);
    let analytics =
        Analytics::builder().segment(segment(&api).flush_interval(interval)).clock(clock.clone()).build().unwrap();
    analytics.track(download()).unwrap();
    assert!(clock.wait_for_sleeper(interval..=interval), "it waits for the interval");
    assert_eq!(api.request_count(), 0);
    clock.advance(interval);
    assert_eq!(api.wait_for_events(1, SOON)[0]["event"], "Download");
}

#[test]
fn the_many_fixture_of_analytics_go() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(3)).build().unwrap();
    for version in 0..5 {
        analytics.track(download().property("version", version)).unwrap();
    }
    let first = api.wait_for_events(3, SOON);
    let versions: Vec<&Value> = first.iter().map(|event| &event["properties"]["version"]).collect();
    assert_eq!(versions, [0, 1, 2]);
    assert_eq!(api.requests()[0].events().len(), 3);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.requests()[1].events().len(), 2);
}

/// Members that the tester does not compare, and empty objects.
fn comparable(mut event: Value) -> Value {
    let members = event.as_object_mut().unwrap();
    members.retain(|key, value| {
        !matches!(key.as_str(), "messageId" | "timestamp" | "sentAt") && value.as_object().is_none_or(|o| !o.is_empty())
    });
    event
}

#[test]
fn the_cases_of_the_cross_library_tester() {
    let context = json!({
        "appcontext": {"name": "app", "flag": false},
        "trackingData": {"context": {"ip": "192.168.0.1, 192.168.0.44"}},
    });
    let integrations = json!({"All": true, "Amplitude": {}, "Vero": {"tags": {}}});
    let properties = json!({"empty": "", "off": false, "none": 0, "key with spaces": "x", "nested": {"deep": [0, ""]}});
    let cases = [
        json!({"type": "alias", "userId": "u", "previousId": "p"}),
        json!({"type": "alias", "userId": "u", "previousId": "p", "anonymousId": "a", "context": context}),
        json!({"type": "group", "userId": "u", "groupId": "g"}),
        json!({"type": "group", "userId": "u", "groupId": "g", "traits": properties, "context": context,
               "integrations": integrations}),
        json!({"type": "identify", "userId": "u"}),
        json!({"type": "identify", "userId": "u", "anonymousId": "a", "traits": properties, "context": context,
               "integrations": integrations}),
        json!({"type": "page", "userId": "u", "name": "Home", "properties": properties}),
        json!({"type": "screen", "userId": "u", "name": "Home"}),
        json!({"type": "screen", "userId": "u", "name": "Home", "properties": properties, "context": context,
               "integrations": integrations}),
        json!({"type": "track", "userId": "u", "event": "Bought"}),
        json!({"type": "track", "userId": "u", "anonymousId": "a", "event": "Bought", "properties": properties,
               "context": context, "integrations": integrations}),
    ];
    for case in cases {
        let event = Event::try_from(case.clone()).unwrap();
        assert_eq!(comparable(body_of(event)), comparable(case));
    }
}
