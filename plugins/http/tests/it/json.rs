//! JSON that is borrowed says the same as JSON that is owned.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::event::message_uuid;
use tracklane_http::{EventJson, Json, JsonObject, number};

#[test]
fn strings_are_borrowed_unless_they_have_escapes() {
    let read: Json<'_> = serde_json::from_str(r#"{"a":"plain","b":"q\"uote","c\n":[1,-2,0.5,true,null,{}]}"#).unwrap();
    let Json::Object(object) = &read else { panic!("{read:?}") };
    let borrowed = |name: &str| matches!(object.get(name), Some(Json::Raw(_)));
    assert_eq!((borrowed("a"), borrowed("b")), (true, false));
    assert_eq!(object.get("b").and_then(Json::as_str), Some("q\"uote"));
    let expected = json!({"a": "plain", "b": "q\"uote", "c\n": [1, -2, 0.5, true, null, {}]});
    assert_eq!(Value::from(read), expected);
    for wrong in ["", "{", "[1,]", "{\"a\":}", "\"\u{1}\""] {
        assert!(serde_json::from_str::<Json<'_>>(wrong).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<JsonObject<'_>>("[]").is_err());
}

/// Whatever is read stays as it was written, and is still what it is.
#[test]
fn numbers_and_strings_that_were_read_are_told_by_what_they_are() {
    let read: Json<'_> =
        serde_json::from_str(r#"[39.950,-1e2,18446744073709551615,"39.5","","7a",null,true]"#).unwrap();
    let told = |json: &Json<'_>| (number(json), json.to_digits().map(String::from), json.to_text().map(String::from));
    let of = |text: &str| Some(text.to_owned());
    let expected = [
        (Some(39.95), of("39.950"), None),
        (Some(-100.0), of("-1e2"), None),
        (Some(18_446_744_073_709_551_615.0), of("18446744073709551615"), None),
        (Some(39.5), None, of("39.5")),
        (None, None, of("")),
        (None, None, of("7a")),
        (None, None, None),
        (None, None, None),
    ];
    let read = read.as_array().unwrap();
    assert_eq!(read.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(Json::Raw("\"a\""), Json::from("a"));
    assert_eq!(Json::Raw("7"), Json::from(7_u64));
    assert_ne!(Json::Raw("7"), Json::from("7"));
}

#[test]
fn the_uuid_of_an_event_is_the_one_that_its_message_id_has() {
    for id in [
        "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20",
        "0A1801FD-3e68-49f8-a7ae-d4ab629a3c20",
        "00000000-0000-0000-0000-000000000000",
        "0a1801fd-3e68-49f8-a7ae-d4ab629a3c2g",
        "0a1801fd03e68-49f8-a7ae-d4ab629a3c20",
        "0a1801fd-3e68-49f8-a7ae-d4ab629a3c2",
        "ajs-next-1:2",
    ] {
        let event = format!(r#"{{"messageId":"{id}"}}"#);
        assert_eq!(EventJson::parse(event.as_bytes()).unwrap().uuid().unwrap(), message_uuid(id), "{id}");
    }
}

#[test]
fn members_keep_their_order_and_are_set_once() {
    let mut object = JsonObject::new();
    object.insert("b", 1_u64);
    object.insert("a", "x");
    object.insert("b", f64::NAN);
    object.insert_missing("a", "y");
    object.insert_missing("c".to_owned(), vec![true, false]);
    assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"b":null,"a":"x","c":[true,false]}"#);
    assert_eq!(object.remove("b"), Some(Json::Null));
    object.retain(|name| name != "c");
    object.extend([("d", "1"), ("a", "2")]);
    assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":"2","d":"1"}"#);
    assert_eq!((object.remove("z"), object.len(), object.is_empty()), (None, 2, false));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,8}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_read_and_written_is_what_serde_json_has(value in value()) {
        let text = serde_json::to_string(&value).unwrap();
        let read: Json<'_> = serde_json::from_str(&text).unwrap();
        let owned: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), owned.clone());
        prop_assert_eq!(Value::from(Json::from(owned.clone())), owned.clone());
        prop_assert_eq!(Value::from(read), owned);
    }
}
