//! Tests: the text holds what a map would, and bears values that cannot be written.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::{Map, RawMembers, Value, members};

#[derive(Clone, Debug)]
enum Step {
    Insert(String, i32),
    Remove(String),
    /// Through the queue, where the keys are forgotten.
    Copy,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Few enough keys to meet again, of lengths around the eight bytes that are hashed.
    let key = || prop_oneof!["[ab]{0,3}", "[ab]{0,2}_____[ab]{0,2}", "[\\\\\"\n\u{e9}]{0,2}"];
    let insert = (key(), any::<i32>()).prop_map(|(key, value)| Step::Insert(key, value));
    prop::collection::vec(prop_oneof![4 => insert, 1 => key().prop_map(Step::Remove), 1 => Just(Step::Copy)], 0..80)
}

proptest! {
    #[test]
    fn text_holds_what_a_map_would(steps in steps()) {
        let (mut text, mut map) = (RawMembers::default(), Map::new());
        for step in steps {
            match step {
                Step::Insert(key, value) => {
                    let written = text.insert(&key, |out| serde_json::to_writer(out, &value));
                    prop_assert!(written.is_ok());
                    map.insert(key, value.into());
                }
                Step::Remove(key) => {
                    text.remove(&key);
                    map.remove(&key);
                }
                Step::Copy => text = RawMembers::of(text.json().to_vec()),
            }
            prop_assert_eq!(text.len(), map.len());
            prop_assert_eq!(text.to_map(), map.clone());
            for (key, value) in &map {
                let found = text.raw(key).and_then(|raw| serde_json::from_slice::<Value>(raw).ok());
                prop_assert_eq!(found.as_ref(), Some(value));
            }
        }
    }
}

#[test]
fn a_value_that_cannot_be_written_leaves_no_trace() {
    let fail = |out: &mut Vec<u8>| {
        out.push(b'2');
        Err("too bad")
    };
    let mut text = RawMembers::default();
    for _ in 0..2 {
        assert!(text.insert("a", fail).is_err());
        assert_eq!(text.json(), b"");
    }
    assert!(text.insert("b", |out| serde_json::to_writer(out, &1)).is_ok());
    assert!(text.insert("b", fail).is_err());
    assert_eq!(text.json(), br#""b":1"#);
}

#[test]
fn a_panic_in_the_middle_of_a_value_leaves_no_trace() {
    let mut text = RawMembers::of(br#""a":1"#.to_vec());
    for key in ["a", "b"] {
        let panics = |out: &mut Vec<u8>| -> Result<(), ()> {
            out.extend_from_slice(b"{\"k\":1");
            panic!("out of paper")
        };
        assert!(catch_unwind(AssertUnwindSafe(|| text.insert(key, panics))).is_err());
        assert_eq!(text.json(), br#""a":1"#);
    }
    assert!(text.insert("c", |out| serde_json::to_writer(out, &2)).is_ok());
    assert_eq!(text.json(), br#""a":1,"c":2"#);
}

#[test]
fn members_are_found_in_order_whatever_their_values_hold() {
    let text = br#""a":1,"b\"":"x,}\\","c":{"d":[1,{"e":"]"}]},"f":[],"g":null"#;
    let found: Vec<(&str, &str)> = members(text)
        .map(|member| {
            (std::str::from_utf8(&text[member.key]).unwrap(), std::str::from_utf8(&text[member.value]).unwrap())
        })
        .collect();
    let expected = [
        (r#""a""#, "1"),
        (r#""b\"""#, r#""x,}\\""#),
        (r#""c""#, r#"{"d":[1,{"e":"]"}]}"#),
        (r#""f""#, "[]"),
        (r#""g""#, "null"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn text_that_is_cut_ends_the_walk_without_a_panic() {
    let text = br#""a":1,"b":{"c":[1,2,{"d":"e"}]},"f":"g\"h""#;
    for cut in 0..text.len() {
        assert!(members(&text[..cut]).count() <= 3, "cut at {cut}");
    }
}
