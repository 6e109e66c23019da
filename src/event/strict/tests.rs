//! Tests: the text is what `serde_json` would have written.

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Fault, MAX_DEPTH, Written, append};

fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    let mut out = b"before".to_vec();
    append(&mut out, value, 0)?;
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
    assert_same(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN));
    assert_same(&(u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX));
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
        assert!(matches!(&refused, Err(Fault::Unserializable(why)) if why.contains("key")), "{refused:?}");
    }
}

#[test]
fn a_variant_counts_the_levels_that_it_opens() {
    let inside = |depth: usize| append(&mut Vec::new(), &Variant::Tuple(1, 2.0), depth).map(|_| ());
    assert_eq!(inside(MAX_DEPTH - 2), Ok(()));
    assert_eq!(inside(MAX_DEPTH - 1), Err(Fault::TooDeep));
}

#[test]
fn text_that_came_in_as_text_is_copied_and_said_to_be() {
    let raw = serde_json::value::RawValue::from_string("{ \"a\" : 1 }".to_owned()).unwrap();
    let mut out = Vec::new();
    assert!(append(&mut out, &[&raw, &raw], 0).unwrap() == Written::AsGiven);
    assert_eq!(String::from_utf8(out).unwrap(), "[{ \"a\" : 1 },{ \"a\" : 1 }]");
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
