//! Reads JSON from any format of serde: as text if the format is JSON, and as values otherwise.
//!
//! `serde_json` rounds numbers when it reads JSON as values. So the text is taken as it is, and
//! [`reader`](super::reader) reads it. Other formats give values, which are checked one by one.

use std::any::type_name;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::error::Problem;
use super::serializer::{MAX_DEPTH, check_key};

/// What a deserializer gave.
pub(in crate::event) enum Input {
    Json(Box<RawValue>),
    Value(Value),
}

/// Levels of an object whose members are objects themselves, like the sections of an event.
const LEVELS: usize = MAX_DEPTH + 1;

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // There is no other way to detect `serde_json`. Other formats may fail when they are asked for its raw text.
        if type_name::<D::Error>() != type_name::<serde_json::Error>() {
            return Ok(Input::Value(Node::ROOT.deserialize(deserializer)?));
        }
        let mut value = None;
        match Box::<RawValue>::deserialize(Either { inner: deserializer, value: &mut value }) {
            Ok(json) => Ok(Input::Json(json)),
            Err(error) => value.map(Input::Value).ok_or(error),
        }
    }
}

/// Reads the text if the format is JSON, and otherwise leaves the value in its place. Serde may have read that value
/// before, as it does for `#[serde(flatten)]`.
struct Either<'v, D> {
    inner: D,
    value: &'v mut Option<Value>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Either<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, EitherVisitor { visitor, value: self.value })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct EitherVisitor<'v, V> {
    visitor: V,
    value: &'v mut Option<Value>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for EitherVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        *self.value = Some(Node::ROOT.deserialize(deserializer)?);
        Err(D::Error::custom("a value, not text"))
    }
}

/// A value that is being read, and its place.
#[derive(Clone, Copy)]
struct Node<'p> {
    parent: Option<&'p Node<'p>>,
    key: &'p str,
    depth: usize,
}

impl Node<'_> {
    const ROOT: Node<'static> = Node { parent: None, key: "", depth: 0 };

    fn child<'c>(&'c self, key: &'c str) -> Node<'c> {
        Node { parent: Some(self), key, depth: self.depth + 1 }
    }

    /// Makes the error of `fault` at this place. Two names are enough: the section, and the key in it.
    #[cold]
    fn fail<E: Error>(&self, fault: &Problem) -> E {
        let mut names: Vec<&str> = std::iter::successors(Some(self), |node| node.parent)
            .filter_map(|node| Some(node.key).filter(|key| !key.is_empty()))
            .collect();
        names.reverse();
        names.truncate(2);
        if names.is_empty() { E::custom(fault) } else { E::custom(format_args!("{}: {fault}", names.join("."))) }
    }

    /// Returns an error if another level would be too deep.
    fn open<E: Error>(&self) -> Result<(), E> {
        if self.depth >= LEVELS { Err(self.fail(&Problem::TooDeep)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value that JSON has")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        let exact = u64::try_from(value).map(Value::from).or_else(|_| i64::try_from(value).map(Value::from));
        exact.map_err(|_| self.fail(&Problem::Inexact))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        u64::try_from(value).map(Value::from).map_err(|_| self.fail(&Problem::Inexact))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.is_finite() { Ok(value.into()) } else { Err(self.fail(&Problem::NotFinite)) }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.open()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.child(""))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.open()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.child(&key))?;
            if let Err(fault) = check_key(&key) {
                return number(&key, &value).ok_or_else(|| self.child(&key).fail(&fault));
            }
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

/// Returns the number that `serde_json` writes as an object of this key, where it is built with `arbitrary_precision`.
fn number(key: &str, digits: &Value) -> Option<Value> {
    let member = std::iter::once((key, digits.as_str()?));
    let number = Number::deserialize(MapDeserializer::<_, serde::de::value::Error>::new(member)).ok()?;
    Some(Value::Number(number))
}
