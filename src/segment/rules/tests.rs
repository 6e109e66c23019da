//! The events of a body, and what is found in each.

use super::{Endpoint, Fields, Level, check_event, raw_events};
use crate::event::{Event, Kind};

fn texts(body: &str) -> Option<Vec<String>> {
    let events = raw_events(body.as_bytes())?;
    Some(events.iter().map(|event| event.get().to_owned()).collect())
}

#[test]
fn a_batch_is_its_members_as_they_were_sent() {
    let body = r#"{"sentAt":"now","batch":[{"a": 1},{"b":[2]}]}"#;
    assert_eq!(texts(body).unwrap(), [r#"{"a": 1}"#, r#"{"b":[2]}"#]);
}

#[test]
fn an_object_without_a_batch_array_is_one_event() {
    for body in [r#"{"event":"x"}"#, r#"{"batch":"x"}"#, "{}"] {
        assert_eq!(texts(body).unwrap(), [body]);
    }
}

#[test]
fn anything_but_one_json_object_holds_no_events() {
    for body in ["", "[[]]", "7", "null", "{", r#"{"batch":[{]}"#, "{} {}"] {
        assert_eq!(texts(body), None, "{body}");
    }
}

/// Event, and the rules that it breaks.
const TABLE: &[(&str, &[&str])] = &[
    (r#"{"type":"track","event":"E","userId":"u"}"#, &[]),
    (r#"{"type":"track","event":"E","userId":7}"#, &[]),
    (r#"{"type":"track","event":"E","userId":null,"anonymousId":"a","properties":null}"#, &[]),
    (r#"{"type":"track","event":"E"}"#, &["user-id-missing"]),
    (r#"{"type":"track","event":"E","userId":""}"#, &["user-id-missing"]),
    (r#"{"type":"track","userId":"u"}"#, &["event-missing"]),
    (r#"{"type":"track","event":"","userId":"u"}"#, &["event-missing"]),
    (r#"{"type":"track","event":7,"userId":"u"}"#, &["wrong-type"]),
    (r#"{"type":"group","userId":"u"}"#, &["group-id-missing"]),
    (r#"{"type":"alias","userId":"u"}"#, &["previous-id-missing"]),
    (r#"{"type":"alias","previousId":"u","anonymousId":"a"}"#, &["user-id-missing"]),
    (r#"{"type":"page","userId":"u"}"#, &[]),
    (r#"{"type":"purchase","userId":"u"}"#, &["unknown-type"]),
    (r#"{"userId":"u"}"#, &["unknown-type"]),
    (r#"{"type":"page","userId":["u"]}"#, &["wrong-type"]),
    (r#"{"type":"page","userId":"u","properties":"none"}"#, &["wrong-type"]),
    (r#"{"type":"page","userId":"u","context":[]}"#, &["wrong-type"]),
    (r#"{"type":"identify","userId":"u","traits":7}"#, &["wrong-type"]),
    (r#"{"type":"page","userId":"u","timestamp":"2011-05-03T14:05:00.123Z"}"#, &[]),
    (r#"{"type":"page","userId":"u","timestamp":"yesterday"}"#, &["timestamp-invalid"]),
    (r#"{"type":"page","userId":"u","timestamp":1304431500}"#, &["wrong-type"]),
    (r#"{"type":"page","userId":"u","originalTimestamp":"yesterday"}"#, &["timestamp-invalid"]),
    (r#"{"type":"page","userId":"u","messageId":7}"#, &["wrong-type"]),
    (r#"{"type":"tr\u0061ck","\u0065vent":"E","userId":"\u0075"}"#, &[]),
];

fn rules(json: &str) -> Vec<&'static str> {
    let fields = Fields::parse(json.as_bytes()).unwrap();
    check_event(&fields, None, json.len()).iter().map(|violation| violation.rule.name()).collect()
}

#[test]
fn each_event_breaks_the_rules_that_the_table_says() {
    for (json, expected) in TABLE {
        assert_eq!(rules(json), *expected, "{json}");
    }
}

/// One source of truth: whoever calls is told at once what would be lost behind Segment's answer.
#[test]
fn the_call_refuses_what_breaks_a_rule_and_nothing_else() {
    let long = |chars: usize| format!(r#"{{"type":"page","userId":"u","messageId":"{}"}}"#, "é".repeat(chars));
    let (fits, does_not) = (long(99), long(100));
    let table = TABLE.iter().map(|(json, _)| *json).chain([fits.as_str(), does_not.as_str()]);
    for json in table {
        let called = serde_json::from_str::<Event>(json).map_err(|error| error.to_string());
        let called = called.and_then(|event| crate::event::check(&event).map_err(|error| error.to_string()));
        assert_eq!(called.is_err(), !rules(json).is_empty(), "{json}: the call says {called:?}");
    }
    assert_eq!((rules(&fits), rules(&does_not)), (vec![], vec!["message-id-too-long"]));
}

#[test]
fn the_type_of_the_path_stands_in_for_that_of_the_event() {
    let json = br#"{"event":"E","userId":"u"}"#;
    let fields = Fields::parse(json).unwrap();
    assert_eq!(check_event(&fields, Some(Kind::Track), json.len()), []);
}

#[test]
fn every_path_is_found_and_no_other() {
    for (path, endpoint) in Endpoint::ALL {
        assert_eq!(Endpoint::of(path), Some(endpoint));
    }
    for path in ["/v1", "/v1/", "/v1/batch/", "/V1/batch", "/v1/x", ""] {
        assert_eq!(Endpoint::of(path), None, "{path}");
    }
}

#[test]
fn of_two_members_with_one_name_the_last_one_counts() {
    let fields = Fields::parse(br#"{"userId":"a","userId":"b"}"#).unwrap();
    assert_eq!(fields.user_id.text().unwrap(), "b");
}

#[test]
fn an_event_that_is_too_large_is_refused() {
    let fields = Fields::parse(br#"{"type":"page","userId":"u"}"#).unwrap();
    assert_eq!(check_event(&fields, None, 32_768), []);
    let found = check_event(&fields, None, 32_769);
    assert_eq!((found[0].rule.level(), found[0].rule.name()), (Level::Refused, "event-too-large"));
}

proptest::proptest! {
    /// As `the_call_refuses_what_breaks_a_rule_and_nothing_else`, on events of every kind with any value in any place.
    #[test]
    fn call_and_rules_agree_on_any_event(
        kind in proptest::sample::select(vec!["track", "identify", "page", "screen", "group", "alias", "sell"]),
        members in proptest::collection::btree_map(
            proptest::sample::select(vec![
                "event", "name", "userId", "anonymousId", "groupId", "previousId", "messageId", "timestamp",
                "originalTimestamp", "properties", "traits", "context", "integrations", "other",
            ]),
            proptest::sample::select(vec![
                "null", "\"\"", "\"text\"", "7", "-0.5", "true", "{}", "{\"a\":1}", "[]", "\"2011-05-03T14:05:00Z\"",
            ]),
            0..8,
        ),
    ) {
        let members: String = members.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        let json = format!("{{\"type\":\"{kind}\"{members}}}");
        let called = serde_json::from_str::<Event>(&json).map_err(|error| error.to_string());
        let called = called.and_then(|event| crate::event::check(&event).map_err(|error| error.to_string()));
        // Segment takes any number for an id. The call takes those only that it can keep exactly, which are whole.
        let has_broken_id = ["userId", "anonymousId", "groupId", "previousId", "messageId"]
            .iter()
            .any(|id| json.contains(&format!("\"{id}\":-0.5")));
        let refused = has_broken_id || !rules(&json).is_empty();
        proptest::prop_assert_eq!(called.is_err(), refused, "{}: {:?}, {:?}", json, called, rules(&json));
    }
}
