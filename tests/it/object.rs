//! Compares an `Object` with a `serde_json` map: after the same operations they are equal.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tracklane::event::Object;
use tracklane::{Analytics, Track};

use crate::fuzzed::targets::object_text::{Step, compare};

/// Few keys, so that they meet again; some need escapes, and there are enough that bits of the key filter collide.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..100_u8).prop_map(|number| format!("k{number}")),
        1 => prop::sample::select(vec!["", "\"", "\\", "a\\\"b", "{", "},", "é", "😀", "\u{0}", "a\nb", "k1,\"k2\":3"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1_000_000..1_000_000_i64).prop_map(|cents| Value::from(cents as f64 / 100.0)),
        key().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn members() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((key(), value()), 0..12).prop_map(|members| members.into_iter().collect())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Step::Insert(key, value)),
        1 => (key(), members()).prop_map(|(key, members)| Step::InsertObject(key, members)),
        3 => key().prop_map(Step::Remove),
        2 => members().prop_map(Step::Extend),
        2 => members().prop_map(Step::MergeUnder),
        1 => (key(), value()).prop_map(|(key, value)| Step::Edit(key, value)),
        1 => Just(Step::ThroughJson),
        1 => Just(Step::Clone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_object_does_what_a_map_does(steps in prop::collection::vec(step(), 1..40)) {
        compare(steps);
    }

    #[test]
    fn an_object_of_many_members_does_what_a_map_does(
        many in prop::collection::vec((key(), leaf()), 50..80),
        steps in prop::collection::vec(step(), 1..10),
    ) {
        compare(many.into_iter().map(|(key, value)| Step::Insert(key, value)).chain(steps));
    }
}

#[test]
fn an_object_that_is_read_too_deep_is_refused_in_words() {
    let text = format!(r#"{{"a":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    let error = serde_json::from_str::<Object>(&text).unwrap_err().to_string();
    assert!(error.contains("a: more than 64 levels of nesting"), "{error}");
}

/// Such text is JSON, and no value can be made of it: it would take the whole object with it when that becomes a map.
#[test]
fn what_could_not_be_read_again_is_refused_and_takes_nothing_with_it() {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    let number = format!("[{}]", "9".repeat(400));
    let texts = ["1e400", r#""\ud800""#, &number, r#"{"$serde_json::private::RawValue":"[1]"}"#];
    let client = Analytics::builder().disable_all(true).build().unwrap();
    let refused = |value: &dyn Fn(&mut Object), what: &str| {
        let mut object = Object::new();
        object.insert("kept", 1);
        value(&mut object);
        assert_eq!(object.to_map().len(), 1, "{what} is not set, and what was set stays");
        object.as_map_mut();
        let error = client.track(Track::new("e").user_id("u").properties(object)).unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains("properties"), "{error}");
    };
    for text in texts {
        refused(&|object| drop(object.insert("odd", raw(text))), text);
    }
    let key = "$serde_json::private::RawValue";
    refused(&|object| drop(object.insert("odd", HashMap::from([(key, "[1]")]))), "a map with the key");
    refused(&|object| drop(object.insert(key, 1)), "the key");

    for text in ["1e300", r#""\u00e9 1e400""#, r#"[1.5, {"a": "$"}]"#] {
        let mut object = Object::new();
        object.insert("fine", raw(text));
        assert_eq!(object.get("fine"), serde_json::from_str(text).unwrap(), "{text}");
        assert_eq!(object.as_map_mut().len(), 1, "{text}");
    }
}

/// All paths of the object, with their values.
fn paths<'v>(map: &'v Map<String, Value>, above: &[&'v str], found: &mut Vec<(Vec<&'v str>, &'v Value)>) {
    for (key, value) in map {
        let path: Vec<&str> = above.iter().copied().chain([key.as_str()]).collect();
        if let Value::Object(inner) = value {
            paths(inner, &path, found);
        }
        found.push((path, value));
    }
}

proptest! {
    #[test]
    fn a_string_is_found_at_its_path_and_the_whole_is_written_as_json(members in members(), other in key()) {
        let text = Object::from(members.clone());
        let mut map = text.clone();
        map.as_map_mut();
        let mut found = Vec::new();
        paths(&members, &[], &mut found);
        for object in [&text, &map] {
            for (path, value) in &found {
                let string = object.get_str_at(path);
                prop_assert_eq!(string.as_deref(), value.as_str(), "{:?}", path);
                let below: Vec<&str> = path.iter().copied().chain([other.as_str()]).collect();
                let string = object.get_str_at(&below);
                prop_assert_eq!(string.as_deref(), value.get(&other).and_then(Value::as_str), "{:?}", below);
            }
            prop_assert_eq!(object.get_str_at(&[]), None);
            let mut json = b"before".to_vec();
            object.write_json(&mut json);
            let written: Value = serde_json::from_slice(json.strip_prefix(b"before").unwrap()).unwrap();
            prop_assert_eq!(&written, &serde_json::to_value(object).unwrap());
        }
    }
}

/// Adds a value at a path of a map, as an object is said to.
fn add_missing(map: &mut Map<String, Value>, path: &[&str], value: &Value) {
    match path {
        [] => {}
        [key] => drop(map.entry(*key).or_insert_with(|| value.clone())),
        [key, below @ ..] => {
            let inner = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                add_missing(inner, below, value);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_member_is_added_at_its_path_and_what_is_there_stays(
        members in members(),
        other in prop::collection::vec(key(), 0..4),
        value in leaf(),
    ) {
        let text = Object::from(members.clone());
        let mut map = text.clone();
        map.as_map_mut();
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        let (mut found, mut tried) = (Vec::new(), vec![other.clone()]);
        paths(&members, &[], &mut found);
        for (path, _) in &found {
            tried.push(path.clone());
            tried.push(path.iter().chain(&other).copied().collect());
        }
        for path in tried {
            let mut expected = members.clone();
            add_missing(&mut expected, &path, &value);
            // One whose keys are known, one whose are not, and a map.
            let read: Object = serde_json::from_str(&serde_json::to_string(&text).unwrap()).unwrap();
            for mut object in [text.clone(), read, map.clone()] {
                object.insert_missing_at(&path, &value);
                let mut json = Vec::new();
                object.write_json(&mut json);
                prop_assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), Value::Object(expected.clone()), "{:?}", path);
                prop_assert_eq!(&object.to_map(), &expected, "{:?}", path);
                for key in expected.keys() {
                    prop_assert!(object.contains_key(key), "{:?} at {:?}", key, path);
                }
            }
        }
    }
}

#[test]
fn a_member_that_would_be_too_deep_or_no_json_is_not_added_and_refuses_the_event() {
    let client = Analytics::builder().disable_all(true).build().unwrap();
    let deep = vec!["a"; 64];
    let refused = |add: &dyn Fn(&mut Object)| {
        for is_map in [false, true] {
            let mut object = Object::from(serde_json::json!({ "a": { "b": 1 } }));
            if is_map {
                object.as_map_mut();
            }
            add(&mut object);
            assert_eq!(Value::Object(object.to_map()), serde_json::json!({ "a": { "b": 1 } }));
            let error = client.track(Track::new("e").user_id("u").properties(object)).unwrap_err();
            assert!(error.is_invalid(), "{error}");
        }
    };
    refused(&|object| object.insert_missing_at(&["a", "c"], &f64::NAN));
    refused(&|object| object.insert_missing_at(&["c", "d"], &f64::NAN));
    refused(&|object| object.insert_missing_at(&["a", "$serde_json::private::RawValue"], &1));
    refused(&|object| object.insert_missing_at(&deep, &[1]));
    let mut object = Object::new();
    object.insert_missing_at(&deep[..63], &[1]);
    assert!(client.track(Track::new("e").user_id("u").properties(object)).is_ok());
}
