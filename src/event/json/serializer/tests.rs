//! Tests: the text is what `serde_json` would have written.

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{MAX_DEPTH, OF_SERDE_JSON, Problem, append};

fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, Problem> {
    let mut out = b"before".to_vec();
    append(&mut out, value, 0).map_err(|error| error.into_parts().1)?;
    Ok(String::from_utf8(out).unwrap().split_off("before".len()))
}

#[track_caller]
fn assert_same<T: Serialize + ?Sized>(value: &T) {
    assert_eq!(text(value).unwrap(), serde_json::to_string(value).unwrap());
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
struct Fields {
    a: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<u8>,
    c: Vec<Unit>,
}

#[derive(Serialize)]
enum Variant {
    Unit,
    Newtype(Newtype),
    Tuple(u8, f32),
    Struct { a: char, b: () },
}

/// Written by its `Display`.
struct Shown(&'static str);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Bytes;

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[0, 255])
    }
}

#[test]
fn every_shape_of_serde_is_written_as_serde_json_writes_it() {
    assert_same(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::from(i64::MIN)));
    assert_same(&(u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::from(u64::MAX)));
    assert_same(&(1.5_f32, -0.0_f64, 1e300, f64::MIN_POSITIVE, true, false, 'a', '"', '\u{1f600}'));
    assert_same(&(Unit, Newtype(1), Pair(1, "a\nb"), (), Some(1), None::<u8>, Bytes));
    assert_same(&Fields { a: None, b: None, c: vec![] });
    assert_same(&Fields { a: Some(1), b: Some(2), c: vec![Unit, Unit] });
    assert_same(&[Variant::Unit, Variant::Newtype(Newtype(1)), Variant::Tuple(1, 2.0)]);
    assert_same(&[Variant::Struct { a: 'x', b: () }, Variant::Unit]);
    assert_same(&[Shown(""), Shown("plain"), Shown("with \"quotes\" and \\"), Shown("\u{e9}\u{1}")]);
}

#[test]
fn keys_become_strings_as_serde_json_makes_them() {
    assert_same(&BTreeMap::from([("", 1), ("a \"b\"", 2)]));
    assert_same(&BTreeMap::from([(-1, 1), (2, 2)]));
    assert_same(&BTreeMap::from([(false, 1), (true, 2)]));
    assert_same(&BTreeMap::from([('a', 1), ('"', 2)]));
    assert_same(&BTreeMap::from([(u128::MAX, Unit)]));
}

#[test]
fn a_key_that_is_no_string_is_refused() {
    for refused in [
        text(&BTreeMap::from([((), 1)])),
        text(&BTreeMap::from([(None::<u8>, 1)])),
        text(&BTreeMap::from([([1, 2], 1)])),
        text(&BTreeMap::from([(BTreeMap::from([("a", 1)]), 1)])),
    ] {
        assert!(matches!(&refused, Err(Problem::Unserializable(why)) if why.contains("key")), "{refused:?}");
    }
}

#[test]
fn a_variant_counts_the_levels_that_it_opens() {
    let inside =
        |depth: usize| append(&mut Vec::new(), &Variant::Tuple(1, 2.0), depth).map_err(|error| error.into_parts().1);
    assert_eq!(inside(MAX_DEPTH - 2), Ok(()));
    assert_eq!(inside(MAX_DEPTH - 1), Err(Problem::TooDeep));
}

#[test]
fn text_that_came_in_as_text_is_the_value_that_it_says() {
    let raw = serde_json::value::RawValue::from_string("{ \"a\" : 1E2 , \"b\":\"\\u0041\" }".to_owned()).unwrap();
    assert_eq!(text(&[&raw, &raw]).unwrap(), r#"[{"a":100.0,"b":"A"},{"a":100.0,"b":"A"}]"#);
}

/// The names by which `serde_json` knows its own are nowhere public. If it changes them, this fails.
#[test]
fn what_serde_json_keeps_for_itself_begins_as_it_is_known_here() {
    let name = |rest: &str| format!("{OF_SERDE_JSON}{rest}");
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    assert_eq!(read(format!(r#"{{"{}":"[1]"}}"#, name("RawValue"))), json!([1]), "it reads text as a value there");
    let raw = serde_json::value::RawValue::from_string("[1]".to_owned()).unwrap();
    assert_eq!(text(&raw).unwrap(), "[1]", "it announces its text by that name");
    assert!(text(&BTreeMap::from([(name("RawValue"), 1)])).is_err());
    // So it does with numbers, where it was built with `arbitrary_precision`.
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::Number")]
    struct Number {
        #[serde(rename = "$serde_json::private::Number")]
        digits: &'static str,
    }
    assert_eq!(text(&[Number { digits: "1E2" }, Number { digits: "-7" }]).unwrap(), "[100.0,-7]");
    assert_eq!(text(&Number { digits: "18446744073709551616" }), Err(Problem::Inexact));
    assert!(text(&Number { digits: "1]" }).is_err());
}

#[test]
fn a_name_that_serde_json_keeps_for_itself_is_refused_wherever_it_stands() {
    #[derive(Serialize)]
    struct Field {
        #[serde(rename = "$serde_json::private::RawValue")]
        field: u8,
    }
    #[derive(Serialize)]
    enum Variants {
        #[serde(rename = "$serde_json::private::RawValue")]
        One(u8),
        #[serde(rename = "$serde_json::private::Number")]
        Two { a: u8 },
    }
    for refused in [text(&Field { field: 1 }), text(&Variants::One(1)), text(&Variants::Two { a: 1 })] {
        assert!(matches!(&refused, Err(Problem::Unserializable(why)) if why.contains("serde_json")), "{refused:?}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}|[\u{0}-\u{7f}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_serde_json_writes_it(value in value()) {
        prop_assert_eq!(text(&value), Ok(serde_json::to_string(&value).unwrap()));
    }
}
