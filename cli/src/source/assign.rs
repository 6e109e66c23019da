//! Puts text at a place in an event, with the given type: types are never guessed.

use std::fmt;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The place of a value, and its type: `properties.total:number`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    path: Vec<String>,
    kind: Type,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Type {
    Text,
    Number,
    Boolean,
    Json,
}

impl Place {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (path, kind) = text.split_once(':').unwrap_or((text, "string"));
        let kind = match kind {
            "string" => Type::Text,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            "json" => Type::Json,
            other => return Err(format!("{other:?} is no type: use string, number, boolean or json")),
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(format!("{text:?} is no place in an event: use one such as properties.total"));
        }
        Ok(Self { path, kind })
    }

    /// The names from the event down to the value.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    pub(super) fn kind(&self) -> Type {
        self.kind
    }

    /// Sets the value there.
    pub(crate) fn set(&self, event: &mut Map<String, Value>, text: &str) -> Result<(), String> {
        let mut json = Vec::new();
        self.kind.write(text, &mut json)?;
        let value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        let Some((last, path)) = self.path.split_last() else { return Ok(()) };
        let mut members = event;
        for name in path {
            let below = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            members = below.as_object_mut().ok_or_else(|| format!("{name} has a value, and can have no members"))?;
        }
        members.insert(last.clone(), value);
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))
    }
}

impl Type {
    /// Appends the JSON of a text. Numbers keep all of their digits.
    pub(super) fn write(self, text: &str, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Type::Text => serde_json::to_writer(out, text).map_err(|error| error.to_string())?,
            Type::Number => out.extend_from_slice(number(text.trim()).ok_or(format!("{text:?} is no number"))?),
            Type::Boolean => out.extend_from_slice(match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => b"true",
                "false" | "no" | "0" => b"false",
                _ => return Err(format!("{text:?} is neither true nor false")),
            }),
            Type::Json => {
                let json: &RawValue =
                    serde_json::from_str(text).map_err(|error| format!("{text:?} is no JSON: {error}"))?;
                out.extend_from_slice(json.get().as_bytes());
            }
        }
        Ok(())
    }
}

/// The text, if it is a number in JSON.
fn number(text: &str) -> Option<&[u8]> {
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let is_number = begins && serde_json::from_str::<serde_json::Number>(text).is_ok();
    is_number.then_some(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_and_become_what_was_said() {
        let mut event = Map::new();
        for (place, text) in [
            ("userId", "007"),
            ("properties.total:number", "39.95"),
            ("properties.code", "1"),
            ("properties.paid:boolean", "Yes"),
            ("context.app:json", "{\"name\":\"shop\"}"),
        ] {
            Place::parse(place).unwrap().set(&mut event, text).unwrap();
        }
        let expected = serde_json::json!({"userId":"007","properties":{"total":39.95,"code":"1","paid":true},
            "context":{"app":{"name":"shop"}}});
        assert_eq!(Value::Object(event.clone()), expected);
        for (place, text) in
            [("a:number", "x"), ("a:number", "NaN"), ("a:boolean", "maybe"), ("a:json", "{"), ("userId.x", "y")]
        {
            assert!(Place::parse(place).unwrap().set(&mut event, text).is_err(), "{place}={text}");
        }
        for wrong in ["", "a..b", "a:date", ".a"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
