//! Puts text at a place in an event, with the given type: types are never guessed.

use serde_json::{Map, Value};

/// The place of a value, and its type: `properties.total:number`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    path: Vec<String>,
    kind: Type,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
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

    /// Sets the value there.
    pub(crate) fn set(&self, event: &mut Map<String, Value>, text: &str) -> Result<(), String> {
        let value = self.kind.read(text)?;
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

impl Type {
    fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Type::Text => Ok(Value::from(text)),
            Type::Number => match serde_json::from_str(text.trim()) {
                Ok(Value::Number(number)) => Ok(Value::Number(number)),
                _ => Err(format!("{text:?} is no number")),
            },
            Type::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Value::Bool(true)),
                "false" | "no" | "0" => Ok(Value::Bool(false)),
                _ => Err(format!("{text:?} is neither true nor false")),
            },
            Type::Json => serde_json::from_str(text).map_err(|error| format!("{text:?} is no JSON: {error}")),
        }
    }
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
