//! What becomes of an event after its 200: delivered, dropped on purpose, dead with its reason, or waiting.

use std::sync::atomic::Ordering;

use serde_json::json;
use tracklane_gateway::{DeadStore, Layout};

use crate::support::{Running, Sink, plain, wait_until};

fn track(id: &str, name: &str, properties: &str) -> String {
    format!(r#"{{"type":"track","event":"{name}","userId":"u","messageId":"{id}","properties":{properties}}}"#)
}

fn store(gateway: &Running, name: &str) -> DeadStore {
    let stores = Layout::of(gateway.path()).unwrap().stores().unwrap();
    stores.into_iter().find(|store| store.name == name).unwrap_or_else(|| panic!("there is no store {name}"))
}

fn dead(gateway: &Running, name: &str) -> Vec<(String, String, Option<String>)> {
    let mut found = Vec::new();
    let visit = |letter: &tracklane_spool::DeadLetter| {
        found.push((letter.message_id().unwrap_or_default(), letter.reason.clone(), letter.error.clone()));
    };
    store(gateway, name).letters().visit(visit).unwrap();
    found
}

#[test]
fn what_a_destination_refuses_is_dead_with_its_reason_and_can_be_sent_again() {
    let gateway = Running::plain();
    // The destination has taken something, so that a refusal is the event's fault.
    assert_eq!(gateway.batch(&track("first", "E", "{}")).status, 200);
    gateway.arrived(1);
    let events = [track("a", "E", "{}"), track("bad", "E", r#"{"refuse":true}"#), track("b", "E", "{}")];
    assert_eq!(gateway.batch(&events.join(",")).status, 200);
    gateway.arrived(3);
    assert_eq!(gateway.sink.ids(), ["first", "a", "b"]);
    wait_until("it is dead", || !dead(&gateway, "main/sink").is_empty());
    let expected = ("bad".to_owned(), "rejected".to_owned(), Some("the attempt failed: a property says so".to_owned()));
    assert_eq!(dead(&gateway, "main/sink"), [expected]);
    let counted = "tracklane_gateway_destination_dead_total{pipeline=\"main\",destination=\"sink\"}";
    assert_eq!(gateway.metric(counted), Some(1.0));

    let letters = store(&gateway, "main/sink").letters();
    assert_eq!(letters.replay("sink", |letter| letter.message_id().as_deref() == Some("another")).unwrap(), 0);
    assert_eq!(letters.replay("sink", |letter| letter.message_id().as_deref() == Some("bad")).unwrap(), 1);
    wait_until("it was sent again, and refused again", || gateway.metric(counted) == Some(2.0));
    wait_until("it is dead again", || dead(&gateway, "main/sink").len() == 1);
    assert_eq!(letters.remove(|_| true).unwrap(), 1);
    assert_eq!(dead(&gateway, "main/sink"), []);
}

#[test]
fn what_a_plugin_drops_on_purpose_is_accepted_and_what_it_fails_on_is_rejected() {
    let gateway = Running::with(&plain("", "[[pipelines.main.plugins]]\nplugin = \"as-told\"\n"));
    let events = [track("a", "E", "{}"), track("b", "Drop me", "{}"), track("c", "Fail on me", "{}")];
    let answer = gateway.batch(&events.join(","));
    assert_eq!(answer.status, 200);
    let rejected =
        json!([{ "index": 2, "rule": "before_failed", "message": "a plugin did not pass it on (before_failed)" }]);
    assert_eq!(answer.json()["rejected"], rejected);
    gateway.arrived(1);
    assert_eq!(gateway.sink.ids(), ["a"]);
    assert_eq!(dead(&gateway, "rejected/web")[0].0, "c");
    let dropped = "tracklane_gateway_events_total{source=\"web\",outcome=\"dropped\"}";
    assert_eq!(gateway.metric(dropped), Some(1.0));
}

/// The gateway, the spool and the worker pass on what others have made: it says of itself what it is.
#[test]
fn the_context_of_an_event_is_its_own() {
    let gateway = Running::plain();
    let contexts = [
        json!({ "library": { "name": "analytics.js" } }),
        json!({ "library": { "name": "analytics.js", "version": "npm:next-1.84.0" }, "locale": "en-US" }),
        json!({ "library": "none" }),
        json!({ "locale": "en-US" }),
    ];
    for (n, context) in contexts.iter().enumerate() {
        let event = track(&format!("m{n}"), "E", "{}").replacen('{', &format!(r#"{{"context":{context},"#), 1);
        assert_eq!(gateway.batch(&event).status, 200);
    }
    assert_eq!(gateway.batch(&track("m4", "E", "{}")).status, 200);
    gateway.arrived(5);
    let arrived: Vec<_> = gateway.sink.events().into_iter().map(|event| event.get("context").cloned()).collect();
    assert_eq!(arrived, contexts.map(Some).into_iter().chain([None]).collect::<Vec<_>>());
}

#[test]
fn what_a_destination_cannot_take_waits_in_its_order_also_over_a_restart() {
    let sink = Sink::default();
    sink.down.store(true, Ordering::Release);
    let gateway = Running::start(tempfile::TempDir::new().unwrap(), sink, "", &plain("", ""));
    let ids: Vec<String> = (0..30).map(|n| format!("m{n:02}")).collect();
    for id in &ids[..15] {
        assert_eq!(gateway.batch(&track(id, "E", "{}")).status, 200);
    }
    let backlog = store(&gateway, "main/sink").backlog().unwrap();
    assert!(backlog.events == 15 && backlog.oldest.is_some(), "{backlog:?}");
    let (directory, sink) = gateway.stop();
    assert_eq!(sink.ids(), Vec::<String>::new());
    let gateway = Running::start(directory, sink, "", &plain("", ""));
    for id in &ids[15..] {
        assert_eq!(gateway.batch(&track(id, "E", "{}")).status, 200);
    }
    gateway.sink.down.store(false, Ordering::Release);
    gateway.arrived(30);
    assert_eq!(gateway.sink.ids(), ids, "in the order in which they were taken");
}

#[test]
fn an_event_is_safe_in_front_of_each_destination_and_each_goes_on_by_itself() {
    let two = format!("{}settings = {{ name = \"second\" }}\n", plain("", "") + crate::support::DESTINATION);
    let gateway = Running::with(&two);
    let only_second = track("x", "E", "{}").replacen('{', r#"{"integrations":{"sink":false},"#, 1);
    assert_eq!(gateway.batch(&only_second).status, 200);
    assert_eq!(gateway.batch(&track("y", "E", "{}")).status, 200);
    gateway.arrived(3);
    let mut ids = gateway.sink.ids();
    ids.sort();
    assert_eq!(ids, ["x", "y", "y"]);
}

#[test]
fn events_that_no_destination_is_to_have_are_accepted_and_counted_as_dropped() {
    let gateway = Running::plain();
    let none = track("x", "E", "{}").replacen('{', r#"{"integrations":{"All":false},"#, 1);
    assert_eq!(gateway.batch(&none).status, 200);
    let dropped = "tracklane_gateway_events_total{source=\"web\",outcome=\"dropped\"}";
    assert_eq!(gateway.metric(dropped), Some(1.0));
}

#[test]
fn a_full_log_refuses_what_is_new_and_keeps_what_it_has() {
    let sink = Sink::default();
    sink.down.store(true, Ordering::Release);
    let gateway = Running::start(tempfile::TempDir::new().unwrap(), sink, "max_bytes = \"1MiB\"", &plain("", ""));
    let padding = "x".repeat(30_000);
    let mut taken = Vec::new();
    let refused = (0..100).find_map(|n| {
        let id = format!("m{n:03}");
        let answer = gateway.batch(&track(&id, "E", &format!(r#"{{"p":"{padding}"}}"#)));
        if answer.status != 200 {
            return Some(answer);
        }
        taken.push(id);
        None
    });
    let refused = refused.expect("1 MB is full after some thirty events");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("too_many_requests")));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((5..=20).contains(&seconds), "{refused:?}");
    gateway.sink.down.store(false, Ordering::Release);
    gateway.arrived(taken.len());
    assert_eq!(gateway.sink.ids(), taken);
    wait_until("there is room again", || gateway.batch(&track("after", "E", "{}")).status == 200);
}

#[test]
fn what_waits_too_long_is_dead_and_not_lost() {
    let sink = Sink::default();
    sink.down.store(true, Ordering::Release);
    let gateway = Running::start(tempfile::TempDir::new().unwrap(), sink, "max_age = \"200ms\"", &plain("", ""));
    assert_eq!(gateway.batch(&track("old", "E", "{}")).status, 200);
    wait_until("it is dead", || !dead(&gateway, "main/sink").is_empty());
    let found = dead(&gateway, "main/sink");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("old", "expired"));
}
