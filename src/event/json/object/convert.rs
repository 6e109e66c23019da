//! Converts objects from and to maps and values of `serde_json`, and any format of serde.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Form, Object, drop_iteratively};
use crate::event::json::deserialize::Input;
use crate::event::json::rewrite;
use crate::event::json::transcode::TranscodeMembers;

impl From<Map<String, Value>> for Object {
    fn from(map: Map<String, Value>) -> Self {
        Self::from(Value::Object(map))
    }
}

/// Converts a `serde_json` object. Any other value, null included, is refused when the event is sent.
impl From<Value> for Object {
    fn from(value: Value) -> Self {
        let mut object = Object::new();
        object.insert_all(&value);
        drop_iteratively(value);
        object
    }
}

/// Fails for an object with a value that JSON cannot carry.
impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.check().map_err(S::Error::custom)?;
        match &self.form {
            Form::Map(map) => map.serialize(serializer),
            Form::Text(text) => TranscodeMembers(text.json()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let not_an_object = || D::Error::custom("an object with keys was expected");
        let value = match Input::deserialize(deserializer)? {
            Input::Json(json) => {
                let members = rewrite::object(json.get().as_bytes()).map_err(D::Error::custom)?;
                return members.map(Object::of_members).ok_or_else(not_an_object);
            }
            Input::Value(value) => value,
        };
        if !value.is_object() {
            return Err(not_an_object());
        }
        let object = Object::from(value);
        object.check().map_err(D::Error::custom).map(|()| object)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.to_map() == other.to_map()
    }
}

impl Eq for Object {}

/// Shows the number of members, but none of them, because they are personal data.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("members", &self.len()).finish_non_exhaustive()
    }
}
