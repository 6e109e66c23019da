//! An event from JSON, as a gateway or an import has it, and back to JSON.

use std::sync::OnceLock;

use serde_json::{Map, Value};
use tracklane::event::Timestamp;
use tracklane::{Analytics, Event};

/// `data`: text that may be JSON.
pub fn check(data: &[u8]) {
    let event = serde_json::from_slice::<Event>(data);
    let value = serde_json::from_slice::<Value>(data).ok();
    let from_value = value.clone().map(Event::try_from);
    match &event {
        Ok(_) => assert!(matches!(from_value, Some(Ok(_))), "what is read as text is read as a value"),
        Err(error) => {
            // A value has been rounded already, or is what `serde_json` takes for something else.
            let known = ["64 bits", "64 levels", "serde_json"];
            let said = error.to_string();
            assert!(!matches!(from_value, Some(Ok(_))) || known.iter().any(|why| said.contains(why)), "{said}");
        }
    }
    let (Ok(event), Some(Value::Object(given))) = (event, value) else { return };

    let written = serde_json::to_value(&event);
    // A section that is no object is refused here and there.
    if client().send(event).is_err() {
        return;
    }
    let written = written.expect("an event that a call takes can be written");
    check_nothing_lost(&given, &written);
    let again = Event::try_from(written.clone()).expect("what was written can be read");
    assert_eq!(serde_json::to_value(&again).expect("and written again"), written);
}

/// A client that checks and measures events, and sends none.
fn client() -> &'static Analytics {
    static CLIENT: OnceLock<Analytics> = OnceLock::new();
    CLIENT.get_or_init(|| Analytics::builder().disable_all(true).build().expect("a client"))
}

/// Every member of what was given is in what was written, but for those of its sending, as the documentation of `Event`
/// says.
fn check_nothing_lost(given: &Map<String, Value>, written: &Value) {
    for (key, value) in given {
        let expected = match (key.as_str(), value) {
            ("userId" | "anonymousId" | "groupId" | "previousId", Value::Number(id)) => Value::from(id.to_string()),
            ("timestamp", Value::String(text)) => timestamp(text),
            ("timestamp", Value::Null) => {
                given.get("originalTimestamp").and_then(Value::as_str).map_or(Value::Null, timestamp)
            }
            ("sentAt" | "receivedAt" | "originalTimestamp" | "writeKey", _) => Value::Null,
            ("context", Value::Object(context)) if context.is_empty() => Value::Null,
            ("integrations", Value::Object(integrations)) => with_capital_all(integrations.clone()),
            (
                "userId" | "anonymousId" | "groupId" | "previousId" | "event" | "name" | "category" | "messageId",
                Value::String(text),
            ) if text.is_empty() => Value::Null,
            _ => value.clone(),
        };
        assert_eq!(written.get(key).unwrap_or(&Value::Null), &expected, "{key} of {given:?}");
    }
}

fn timestamp(text: &str) -> Value {
    text.parse::<Timestamp>().expect("a timestamp").to_string().into()
}

fn with_capital_all(mut integrations: Map<String, Value>) -> Value {
    if let Some(all) = integrations.remove("all") {
        integrations.insert("All".to_owned(), all);
    }
    Value::Object(integrations)
}
