//! The body of a request to the tracking API: its events, and what is wrong with each.

use std::sync::OnceLock;

use serde_json::Value;
use tracklane::segment::rules::{Fields, Rule, check_event, raw_events};
use tracklane::{Analytics, Event};

/// `data`: a body.
pub fn check(data: &[u8]) {
    let raw = raw_events(data);
    // Numbers and depths that a tree cannot have are fine where no tree is made.
    let Ok(body) = serde_json::from_slice::<Value>(data) else { return };
    assert_eq!(raw.is_some(), body.is_object(), "events are in an object, and nowhere else");
    let Some(raw) = raw else { return };
    let events = match &body["batch"] {
        Value::Array(events) => events.clone(),
        _ => vec![body],
    };
    assert_eq!(raw.len(), events.len());
    for (raw, event) in raw.into_iter().zip(events) {
        let parsed: Value = serde_json::from_str(raw.get()).expect("what was sent is JSON");
        assert_eq!(parsed, event, "events are what was sent, in their order");
        check_rules(raw.get(), event);
    }
}

/// The call refuses what breaks a rule, and nothing else.
fn check_rules(raw: &str, event: Value) {
    let Some(fields) = Fields::parse(raw.as_bytes()) else {
        assert!(!event.is_object(), "members are found in every object");
        return;
    };
    let found = check_event(&fields, None, raw.len());
    let called = Event::try_from(event).map_err(|error| error.to_string());
    let called = called.and_then(|event| client().send(event).map_err(|error| error.to_string()));
    match called {
        // The final JSON has no spaces, so it may be smaller than what was sent.
        Ok(()) => assert!(found.iter().all(|violation| violation.rule == Rule::EventTooLarge), "{found:?}: {raw}"),
        Err(problem) if found.is_empty() => {
            // How deep an event may be is the library's own limit.
            assert!(problem.contains("nested") || problem.contains("bytes of JSON"), "{problem}: {raw}");
        }
        Err(_) => {}
    }
}

/// A client that checks and measures events, and sends none.
fn client() -> &'static Analytics {
    static CLIENT: OnceLock<Analytics> = OnceLock::new();
    CLIENT.get_or_init(|| Analytics::builder().disable_all(true).build().expect("a client"))
}
