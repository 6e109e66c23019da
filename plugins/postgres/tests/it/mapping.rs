//! From JSON to a row, without a database.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tracklane_postgres::Row;

fn columns(json: &str) -> Vec<(String, String)> {
    let row = Row::from_json(json.as_bytes()).unwrap();
    row.iter().map(|(column, value)| (column.to_owned(), value.to_owned())).collect()
}

#[test]
fn each_member_has_its_column_and_nothing_is_left_out() {
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("{}", &[]),
        (r#"{"type":"track","event":"A","messageId":"m"}"#, &[("event", "A"), ("message_id", "m"), ("type", "track")]),
        (r#"{"name":"Home","category":"Docs"}"#, &[("category", "Docs"), ("event", "Home")]),
        (r#"{"event":"A","name":"B"}"#, &[("event", "A"), ("extra", r#"{"name":"B"}"#)]),
        (r#"{"userId":7,"anonymousId":null,"groupId":"g"}"#, &[("group_id", "g"), ("user_id", "7")]),
        (r#"{"userId":"a\"\u00e9\ud83d\ude00"}"#, &[("user_id", "a\"é😀")]),
        (
            r#"{"properties":{"a":1e400,"b":1.50},"traits":{}}"#,
            &[("properties", r#"{"a":1e400,"b":1.50}"#), ("traits", "{}")],
        ),
        (r#"{"channel":"server","version":2}"#, &[("extra", r#"{"channel":"server","version":2}"#)]),
    ];
    for (json, expected) in rows {
        let expected: Vec<_> =
            expected.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())).collect();
        assert_eq!(columns(json), expected, "{json}");
    }
    for none in ["", "[]", "7", "{", "null", "{\"a\":}"] {
        assert!(Row::from_json(none.as_bytes()).is_err(), "{none}");
    }
}

#[test]
fn a_row_shows_what_it_has_only_when_it_is_asked_to() {
    let row = Row::from_json(br#"{"userId":"ann@example.com","type":"track"}"#).unwrap();
    assert_eq!(row.to_string(), "type: track\nuser_id: ann@example.com\n");
    assert_eq!(format!("{row:?}"), r#"Row{"type", "user_id"}"#);
}

proptest! {
    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), text in "\\PC*") {
        let _ = Row::from_json(&bytes);
        let _ = Row::from_json(text.as_bytes());
    }

    /// Whatever members an event has, each value is in its column or in `extra`.
    #[test]
    fn no_member_is_lost(members in prop::collection::btree_map("[a-zA-Z]{1,10}|event|name|userId|context", "[a-z]{1,5}", 0..8)) {
        let json: Map<String, Value> = members.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let row = Row::from_json(&serde_json::to_vec(&json).unwrap()).unwrap();
        let everything = row.to_string();
        for value in members.values() {
            prop_assert!(everything.contains(value.as_str()), "{value} of {members:?} is not in {everything}");
        }
    }
}
