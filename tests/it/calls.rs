//! Calls that are refused: the reason, the error's text, and that other events are not affected.

use std::collections::HashMap;
use std::error::Error as _;

use serde::Serialize;
use serde_json::{Value, json};
use tracklane::event::{InvalidField, JsonType, Properties};
use tracklane::testing::Reply;
use tracklane::{
    Alias, Analytics, CallError, Event, Group, Identify, Kind, Page, RefusalReason, Screen, Track, signal,
};

use crate::support::{Log, SOON, api, client, recorder, segment, track};

#[derive(Clone, Copy, Serialize)]
struct Product {
    name: &'static str,
    price: f64,
}

const BROKEN: Product = Product { name: "Pen", price: f64::INFINITY };

fn missing(kind: Kind, field: &'static str) -> InvalidField {
    InvalidField::Missing { kind, field }
}

fn not_finite(field: &str) -> InvalidField {
    InvalidField::NotFinite { field: field.into() }
}

fn not_an_object(field: &str, found: JsonType) -> InvalidField {
    InvalidField::NotAnObject { field: field.into(), found }
}

/// Faulty events, each with the expected error.
fn refused() -> Vec<(Event, InvalidField)> {
    let id = |chars: usize, of: &str| track("x").message_id(of.repeat(chars));
    vec![
        (Track::new("x").into(), InvalidField::MissingId { kind: Kind::Track }),
        (Track::new("x").user_id("").anonymous_id("").into(), InvalidField::MissingId { kind: Kind::Track }),
        (Identify::new().into(), InvalidField::MissingId { kind: Kind::Identify }),
        (Page::new("x").into(), InvalidField::MissingId { kind: Kind::Page }),
        (Screen::new("x").into(), InvalidField::MissingId { kind: Kind::Screen }),
        (Group::new("g").into(), InvalidField::MissingId { kind: Kind::Group }),
        (track("").into(), missing(Kind::Track, "event")),
        (Group::new("").user_id("u").into(), missing(Kind::Group, "groupId")),
        (Alias::new("", "u").into(), missing(Kind::Alias, "previousId")),
        (Alias::new("p", "").into(), missing(Kind::Alias, "userId")),
        (Alias::new("p", "").anonymous_id("a").into(), missing(Kind::Alias, "userId")),
        (id(100, "m").into(), InvalidField::MessageIdTooLong { chars: 100 }),
        (id(100, "𝄞").into(), InvalidField::MessageIdTooLong { chars: 100 }),
        (track("x").property("price", f64::NAN).into(), not_finite("properties.price")),
        (track("x").property("price", f32::NEG_INFINITY).into(), not_finite("properties.price")),
        (track("x").property("prices", [1.0, f64::NAN]).into(), not_finite("properties.prices")),
        (track("x").property("by name", HashMap::from([("a", f64::NAN)])).into(), not_finite("properties.by name")),
        (track("x").property("product", BROKEN).into(), not_finite("properties.product")),
        (track("x").property("products", [Some((1, BROKEN))]).into(), not_finite("properties.products")),
        (track("x").properties(BROKEN).into(), not_finite("properties")),
        (track("x").properties(Properties::new().with("price", f64::NAN)).into(), not_finite("properties.price")),
        (track("x").context(HashMap::from([("load", f64::NAN)])).into(), not_finite("context")),
        (track("x").integration("Vero", f64::NAN).into(), not_finite("integrations.Vero")),
        (Identify::new().user_id("u").with_trait("age", f64::NAN).into(), not_finite("traits.age")),
        (track("x").properties(json!([1])).into(), not_an_object("properties", JsonType::Array)),
        (track("x").properties("text").into(), not_an_object("properties", JsonType::String)),
        (track("x").properties(7).into(), not_an_object("properties", JsonType::Number)),
        (track("x").properties(()).into(), not_an_object("properties", JsonType::Null)),
        (track("x").properties(None::<Properties>).into(), not_an_object("properties", JsonType::Null)),
        (track("x").properties(Properties::new().insert("k", 1)).into(), not_an_object("properties", JsonType::Null)),
        (track("x").context(json!(null)).into(), not_an_object("context", JsonType::Null)),
        (track("x").integrations(()).into(), not_an_object("integrations", JsonType::Null)),
        (Group::new("g").user_id("u").traits(()).into(), not_an_object("traits", JsonType::Null)),
        (track("x").properties(true).into(), not_an_object("properties", JsonType::Boolean)),
        (track("x").properties(Properties::from(json!(["p"]))).into(), not_an_object("properties", JsonType::Array)),
        (track("x").context(json!([])).into(), not_an_object("context", JsonType::Array)),
        (track("x").integrations(false).into(), not_an_object("integrations", JsonType::Boolean)),
        (Group::new("g").user_id("u").traits(vec![("k", "v")]).into(), not_an_object("traits", JsonType::Array)),
    ]
}

#[test]
fn each_mistake_is_refused_with_its_name_and_costs_nothing_else() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    let table = refused();
    for (number, (event, expected)) in table.iter().enumerate() {
        let given = event.clone();
        let error = analytics.send(event.clone()).unwrap_err();
        assert_eq!(*error.reason(), RefusalReason::Invalid(expected.clone()));
        assert!(error.is_invalid() && !error.is_closed() && !error.is_queue_full());
        let said = error.to_string();
        assert!(said.starts_with(given.kind().as_str()) && said.contains(&expected.to_string()), "{said}");
        // The same event comes back, and is refused for the same reason again.
        let back = error.into_event();
        assert_eq!((back.kind(), back.message_id()), (given.kind(), given.message_id()));
        assert_eq!((back.name(), back.section()), (given.name(), given.section()));
        assert_eq!(*analytics.send(back).unwrap_err().reason(), RefusalReason::Invalid(expected.clone()));
        analytics.track(track(&format!("good {number}"))).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let names: Vec<String> = api.events().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), table.len(), "every good event, and no other: {names:?}");
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.refused), (table.len() as u64, 2 * table.len() as u64));
}

#[test]
fn an_error_says_what_to_do_and_how_much_is_allowed() {
    let table = [
        (InvalidField::MessageIdTooLong { chars: 100 }, "messageId has 100 characters, at most 99 are allowed"),
        (
            InvalidField::TooLarge { bytes: 32_769 },
            "the event has 32769 bytes of JSON, at most 32768 are allowed: send less, or several events",
        ),
        (
            InvalidField::TooDeep { field: "properties.a".into() },
            "properties.a is nested more than 64 levels deep: flatten it",
        ),
        (missing(Kind::Group, "groupId"), "groupId is missing or empty: a group call needs it"),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn what_looks_wrong_and_is_not_goes_through() {
    let (destination, arrived) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let fine: Vec<Event> = vec![
        Page::new("").user_id("u").into(),
        Screen::new("").anonymous_id("a").into(),
        Track::new("x").anonymous_id("a").into(),
        track("x").message_id("m".repeat(99)).into(),
        track("x").message_id("𝄞".repeat(99)).into(),
        track(" ").into(),
    ];
    let sent = fine.len();
    for event in fine {
        analytics.send(event).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), sent);
}

#[test]
fn a_full_queue_refuses_reports_once_and_recovers() {
    let api = api();
    api.set_default(Reply::hang());
    let (failures, waiting) = (Log::new(), Log::new());
    let (log, calls) = (failures.clone(), waiting.clone());
    let analytics = client(&api)
        .max_queue_size(2)
        .on(signal::Error, move |failure| log.push(failure.to_string()))
        .on(signal::Track, move |event| calls.push(event.message_id().into_owned()))
        .build()
        .unwrap();
    analytics.track(track("1").message_id("m1")).unwrap();
    analytics.track(track("2").message_id("m2")).unwrap();
    for _ in 0..3 {
        let error = analytics.track(track("3").property("n", 3)).unwrap_err();
        assert!(error.is_queue_full(), "{error}");
        let RefusalReason::QueueFull { events, max_events, bytes, max_bytes } = *error.reason() else { panic!() };
        assert_eq!((events, max_events, max_bytes), (2, 2, 32 * 1024 * 1024));
        assert!(bytes > 200, "two events weigh more than {bytes}");
        assert_eq!(error.into_event().section().get("n"), Some(3.into()));
    }
    assert_eq!(analytics.stats().refused, 3);
    let report = analytics.close_blocking(std::time::Duration::from_millis(100));
    assert_eq!((report.pending, report.unsent.len()), (2, 2));
    let full = failures.wait_for(1).iter().filter(|said| said.contains("the queue is full")).count();
    assert_eq!(full, 1, "one report, not one per call: {:?}", failures.all());
}

#[test]
fn a_full_queue_takes_events_again_when_some_have_ended() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).max_queue_size(2).build().unwrap();
    for number in 0..20 {
        while let Err(error) = analytics.track(track(&number.to_string())) {
            assert!(error.is_queue_full());
            assert!(analytics.flush_blocking(SOON).is_complete());
        }
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.events().len(), 20);
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let api = api();
    api.set_default(Reply::hang());
    let analytics = client(&api).max_queue_bytes(40_000).build().unwrap();
    let large = || track("x").property("filler", "x".repeat(30_000));
    analytics.track(large()).unwrap();
    let error = analytics.track(large()).unwrap_err();
    assert!(matches!(error.reason(), RefusalReason::QueueFull { events: 1, max_bytes: 40_000, .. }), "{error}");
    analytics.track(track("small")).unwrap();
    analytics.close_blocking(std::time::Duration::ZERO);
}

#[test]
fn a_closed_client_refuses_on_every_clone_and_gives_the_event_back() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    let clone = analytics.clone();
    assert!(analytics.close_blocking(SOON).is_complete());
    for handle in [&analytics, &clone] {
        let error: CallError = handle.track(track("late").message_id("m")).unwrap_err();
        assert!(error.is_closed() && error.source().is_none());
        assert_eq!(error.to_string(), "track refused: the client was closed");
        assert_eq!(error.into_event().message_id(), "m");
    }
    assert_eq!((analytics.stats().accepted, analytics.stats().refused), (0, 2));
    assert_eq!(api.request_count(), 0);
}

#[test]
fn an_exported_event_is_read_without_what_its_first_sending_added() {
    let exported = json!({
        "type": "track", "event": "x", "userId": "u", "messageId": "m", "channel": "server",
        "timestamp": "2026-11-21T20:00:00.000Z", "originalTimestamp": "2026-11-21T20:00:07.000Z",
        "sentAt": "2026-11-21T20:00:09.000Z", "receivedAt": {"not": "looked at"}, "writeKey": "secret",
    });
    let left = json!({
        "type": "track", "event": "x", "userId": "u", "messageId": "m", "channel": "server",
        "timestamp": "2026-11-21T20:00:00.000Z",
    });
    let text = exported.to_string();
    assert_eq!(serde_json::to_value(Event::try_from(exported).unwrap()).unwrap(), left);
    assert_eq!(serde_json::to_value(serde_json::from_str::<Event>(&text).unwrap()).unwrap(), left);
}

#[test]
fn an_event_without_a_timestamp_happened_at_its_original_one() {
    let read = |timestamp: Value| {
        let original = "2026-11-21T20:00:07.000Z";
        let json = json!({"type": "track", "event": "x", "timestamp": timestamp, "originalTimestamp": original});
        Event::try_from(json).unwrap().timestamp().unwrap().to_string()
    };
    assert_eq!(read(Value::Null), "2026-11-21T20:00:07.000Z");
    assert_eq!(read(json!("2026-11-21T20:00:00.000Z")), "2026-11-21T20:00:00.000Z");
}

#[test]
fn an_event_that_is_no_event_is_refused_before_it_is_one() {
    let table = [
        (json!([]), "an event must be a JSON object"),
        (json!({}), "type is null, and must be one of"),
        (json!({"type": "purchase"}), "type is \"purchase\", and must be one of"),
        (json!({"type": "é".repeat(41)}), &format!("type is \"{}\", and must be one of", "é".repeat(40))),
        (json!({"type": {"track": "secret"}}), "type is an object, and must be one of"),
        (json!({"type": ["track"]}), "type is an array, and must be one of"),
        (json!({"type": 7}), "type is a number, and must be one of"),
        (json!({"type": true}), "type is a boolean, and must be one of"),
        (json!({"type": "track", "userId": {}}), "userId must be a string or a number"),
        (json!({"type": "track", "event": 7}), "event must be a string"),
        (
            json!({"type": "track", "timestamp": "yesterday"}),
            "timestamp \"yesterday\" is not RFC 3339 in the years 0 to 9999",
        ),
        (json!({"type": "track", "originalTimestamp": 7}), "originalTimestamp must be a string in RFC 3339"),
        (json!({"type": "track", "messageId": 7}), "messageId must be a string"),
    ];
    for (json, problem) in table {
        let error = Event::try_from(json.clone()).unwrap_err();
        assert!(error.to_string().contains(problem), "{json}: {error}");
        assert_eq!(error.clone(), Event::try_from(json).unwrap_err());
    }
    let refused = |timestamp| Event::try_from(json!({"type": "track", "timestamp": timestamp})).unwrap_err();
    assert_ne!(refused("yesterday"), refused("today"));
}
