//! Nested values: 64 levels are accepted, and a million levels neither overflow the stack nor end the process.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tracklane::event::{InvalidField, Object, Properties, Traits};
use tracklane::plugin::enrichment_fn;
use tracklane::signal::Failure;
use tracklane::{Analytics, DropReason, Event, RefusalReason};

use crate::support::{SOON, eventually, recorder, track, with_failures};

/// `levels` arrays, one in the other.
fn arrays(levels: usize) -> Value {
    (1..levels).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
}

/// `levels` objects, one in the other.
fn objects(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| Value::Object(Map::from_iter([("k".to_owned(), inner)])))
}

/// Drops a value without recursion.
fn take_apart(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

fn too_deep(field: &str) -> RefusalReason {
    RefusalReason::Invalid(InvalidField::TooDeep { field: field.into() })
}

fn edited(value: Value) -> Event {
    let mut event = Event::from(track("x"));
    event.section_mut().as_map_mut().insert("k".into(), value);
    event
}

#[test]
fn sixty_four_levels_with_the_section_are_the_limit() {
    let (destination, arrived) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    for levels in [63, 64] {
        for nested in [arrays(levels - 1), objects(levels - 1)] {
            let raw = RawValue::from_string(nested.to_string()).unwrap();
            let whole = json!({ "k": nested });
            analytics.track(track("x").property("k", &nested)).unwrap();
            analytics.track(track("x").property("k", &raw)).unwrap();
            analytics.track(track("x").properties(&whole)).unwrap();
            analytics.track(track("x").properties(Properties::from(whole.clone()))).unwrap();
            analytics.track(track("x").context(&whole)).unwrap();
            analytics.send(edited(nested.clone())).unwrap();
            let event = json!({"type": "track", "event": "x", "userId": "u", "properties": whole});
            analytics.send(Event::try_from(event).unwrap()).unwrap();
        }
    }
    let because = |event: Event| analytics.send(event).unwrap_err().reason().clone();
    for nested in [arrays(64), objects(64)] {
        let raw = RawValue::from_string(nested.to_string()).unwrap();
        let whole = json!({ "k": nested });
        assert_eq!(because(track("x").property("k", &nested).into()), too_deep("properties.k"));
        assert_eq!(because(track("x").property("k", &raw).into()), too_deep("properties.k"));
        assert_eq!(because(track("x").properties(&whole).into()), too_deep("properties"));
        assert_eq!(because(track("x").properties(Properties::from(whole.clone())).into()), too_deep("properties"));
        assert_eq!(because(track("x").context(&whole).into()), too_deep("context"));
        assert_eq!(because(edited(nested.clone())), too_deep("properties"));
        let event = json!({"type": "track", "event": "x", "userId": "u", "properties": whole});
        assert_eq!(because(Event::try_from(event).unwrap()), too_deep("properties"));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), 28, "what is as deep as allowed arrives");
    assert!(arrived.all().iter().all(|event| event["properties"]["k"].is_null() != event["context"]["k"].is_null()));
}

/// Runs `work` where a recursion of a million levels, or of some thousands, overflows.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(work).unwrap().join().unwrap();
}

const MILLION: usize = 1_000_000;

#[test]
fn a_million_levels_are_refused_on_a_small_stack() {
    on_a_small_stack(|| {
        let (destination, arrived) = recorder("r");
        let analytics = Analytics::builder().plugin(destination).build().unwrap();
        let refused = |event: Event, field: &str| {
            let error = analytics.send(event).unwrap_err();
            assert_eq!(*error.reason(), too_deep(field));
            drop(error.into_event());
        };
        let deep = objects(MILLION);
        refused(track("x").properties(&deep).into(), "properties");
        refused(track("x").property("k", &deep).into(), "properties.k");
        take_apart(deep);
        refused(track("x").properties(Properties::from(objects(MILLION))).into(), "properties");
        refused(track("x").properties(objects(MILLION)).into(), "properties");
        refused(track("x").property("k", arrays(MILLION)).into(), "properties.k");
        refused(track("x").context(objects(MILLION)).into(), "context");
        drop(Traits::from(arrays(MILLION)));
        drop(Object::from(objects(MILLION)));

        let raw = RawValue::from_string("[".repeat(MILLION) + &"]".repeat(MILLION)).unwrap();
        refused(track("x").property("k", &raw).into(), "properties.k");

        let mut event = Map::from_iter(
            [("type", "track"), ("event", "x"), ("userId", "u")].map(|(key, value)| (key.to_owned(), value.into())),
        );
        event.insert("properties".into(), objects(MILLION));
        refused(Event::try_from(Value::Object(event)).unwrap(), "properties");
        for nested in [arrays(MILLION), objects(MILLION)] {
            Event::try_from(Value::Object(Map::from_iter([("type".to_owned(), nested)]))).unwrap_err();
        }

        analytics.track(track("good")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(arrived.len(), 1);
    });
}

#[test]
fn a_plugin_that_nests_a_million_levels_costs_its_own_edit_only() {
    let (destination, arrived) = recorder("r");
    let plugin = enrichment_fn("deep", |event: &mut Event| {
        event.section_mut().as_map_mut().insert("deep".into(), arrays(MILLION));
    });
    let settings = Analytics::builder().plugin(destination).plugin(plugin);
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    analytics.track(track("x").property("kept", 1)).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.all()[0]["properties"], json!({"kept": 1}));
    // On a slow machine the watchdog reports it as well.
    let is_it = |failure: &Failure| failure.message.contains("properties is nested more than 64 levels deep");
    eventually("the failure", || failures.all().iter().any(is_it));
    let failure = failures.all().into_iter().find(is_it).unwrap();
    assert_eq!((&*failure.origin, failure.dropped), ("deep", None));
}

#[test]
fn an_event_that_was_made_too_deep_by_hand_is_refused_and_dropped_without_recursion() {
    on_a_small_stack(|| {
        let (destination, arrived) = recorder("r");
        let analytics = Analytics::builder().plugin(destination).build().unwrap();
        let error = analytics.send(edited(arrays(MILLION))).unwrap_err();
        assert_eq!(*error.reason(), too_deep("properties"));
        drop(error);
        drop(edited(objects(MILLION)));
        analytics.track(track("good")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(arrived.len(), 1);
        assert_eq!(analytics.stats().dropped.get(DropReason::Internal), 0);
    });
}
