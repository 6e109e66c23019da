//! Objects from and to what others have: maps and values of `serde_json`, iterators, any format of serde.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fault::exchange_inner;
use super::{Form, Object, dismantle};
use crate::event::text;

impl From<Map<String, Value>> for Object {
    fn from(map: Map<String, Value>) -> Self {
        Self::from(Value::Object(map))
    }
}

/// From a `serde_json` object. Any other value but null is refused when the event is sent.
impl From<Value> for Object {
    fn from(value: Value) -> Self {
        let mut object = Object::new();
        object.extend(&value);
        dismantle(value);
        object
    }
}

impl<K: AsRef<str>, V: Serialize> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Object::new();
        members.into_iter().for_each(|(key, value)| object.insert(key.as_ref(), value));
        object
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(fault) = self.fault() {
            exchange_inner(Some(Box::new(fault.clone())));
        }
        let json = match &self.form {
            Form::Map(map) => return map.serialize(serializer),
            Form::Text(text) => text.json(),
        };
        let mut members = serializer.serialize_map(Some(self.len()))?;
        for member in text::members(json) {
            let part = |range| serde_json::from_slice::<&RawValue>(json.get(range).unwrap_or_default());
            let (Ok(key), Ok(value)) = (part(member.key), part(member.value)) else { continue };
            let key: Cow<'_, str> = serde_json::from_str(key.get()).map_err(serde::ser::Error::custom)?;
            members.serialize_entry(&key, value)?;
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let mut object = Object::from_iter(map);
        match object.take_fault() {
            None => Ok(object),
            Some(fault) => Err(D::Error::custom(fault)),
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.to_map() == other.to_map()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.to_map()).finish()
    }
}
