//! The members that a schema names, and the members of a value that it does not name.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The members that are planned below a place.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Empty: the schema names no member, so any may be there.
    named: HashMap<String, Members>,
    /// The members of the elements of an array.
    elements: Option<Box<Members>>,
    /// Set if there may be others: by a pattern, or by parts of the schema that are not read here.
    is_open: bool,
}

/// Keywords by which a schema may name members elsewhere.
pub(crate) const ELSEWHERE: &[&str] =
    &["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"];

impl Members {
    pub(crate) fn new(schema: &Value) -> Self {
        let named = schema.get("properties").and_then(Value::as_object);
        let named: HashMap<_, _> =
            named.into_iter().flatten().map(|(name, schema)| (name.clone(), Self::new(schema))).collect();
        let is_elsewhere = ELSEWHERE.iter().any(|keyword| schema.get(*keyword).is_some());
        let takes_others = schema.get("additionalProperties").is_some_and(Value::is_object);
        let elements = schema.get("items").filter(|items| items.is_object()).map(|items| Box::new(Self::new(items)));
        Self { is_open: named.is_empty() || is_elsewhere || takes_others, named, elements }
    }

    /// Adds the path of each member of `object` that is not planned.
    pub(crate) fn unplanned(&self, object: &Map<String, Value>, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        for (name, value) in object {
            match self.named.get(name) {
                Some(members) if members.is_closed_somewhere() && (value.is_object() || value.is_array()) => {
                    path.push(name.clone());
                    members.unplanned_in(value, path, found);
                    path.pop();
                }
                Some(_) => {}
                None if self.is_open => {}
                None => found.push(path.iter().chain([name]).cloned().collect()),
            }
        }
    }

    fn unplanned_in(&self, value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match value {
            Value::Object(object) => self.unplanned(object, path, found),
            Value::Array(elements) => {
                let Some(members) = &self.elements else { return };
                for (at, element) in elements.iter().enumerate() {
                    path.push(at.to_string());
                    members.unplanned_in(element, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Returns whether anything may be there.
    pub(crate) fn names_nothing(&self) -> bool {
        self.named.is_empty()
    }

    fn is_closed_somewhere(&self) -> bool {
        !self.named.is_empty() || self.elements.is_some()
    }
}

/// The result of removing a member.
enum Taken {
    /// It is out, with so many steps of the path.
    Out(usize),
    /// It was missing.
    Gone,
    /// The path ends at an element of an array. Elements keep their places, so the member that holds them is removed.
    IsElement,
}

/// Removes a member, or the nearest member above it. Returns the path of the removed one, or `None` if it was missing.
pub(crate) fn take_out<'a>(object: &mut Map<String, Value>, path: &'a [String]) -> Option<&'a [String]> {
    match take_member(object, path) {
        Taken::Out(steps) => path.get(..steps),
        Taken::Gone | Taken::IsElement => None,
    }
}

fn take_member(object: &mut Map<String, Value>, path: &[String]) -> Taken {
    let Some((name, below)) = path.split_first() else { return Taken::Gone };
    let Some(value) = object.get_mut(name) else { return Taken::Gone };
    let taken = if below.is_empty() { Taken::IsElement } else { take_below(value, below) };
    match taken {
        Taken::Out(steps) => Taken::Out(steps + 1),
        Taken::Gone => Taken::Gone,
        Taken::IsElement => {
            object.remove(name);
            Taken::Out(1)
        }
    }
}

fn take_below(value: &mut Value, path: &[String]) -> Taken {
    match (value, path) {
        (Value::Object(object), path) => take_member(object, path),
        (Value::Array(_), [_]) => Taken::IsElement,
        (Value::Array(elements), [at, below @ ..]) => {
            match at.parse().ok().and_then(|at: usize| elements.get_mut(at)) {
                Some(element) => match take_below(element, below) {
                    Taken::Out(steps) => Taken::Out(steps + 1),
                    other => other,
                },
                None => Taken::Gone,
            }
        }
        _ => Taken::Gone,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_member_is_taken_out_and_an_element_with_what_holds_it() {
        let before = json!({ "a": 1, "b": { "c": [1, { "d": 2, "e": 3 }], "f": [[1]] } });
        for (at, taken, after) in [
            ("a", Some("a"), json!({ "b": { "c": [1, { "d": 2, "e": 3 }], "f": [[1]] } })),
            ("b.c.1.d", Some("b.c.1.d"), json!({ "a": 1, "b": { "c": [1, { "e": 3 }], "f": [[1]] } })),
            ("b.c.0", Some("b.c"), json!({ "a": 1, "b": { "f": [[1]] } })),
            ("b.f.0.0", Some("b.f"), json!({ "a": 1, "b": { "c": [1, { "d": 2, "e": 3 }] } })),
            ("b.x.y", None, before.clone()),
            ("b.c.7.d", None, before.clone()),
            ("a.b", None, before.clone()),
        ] {
            let mut object = before.as_object().unwrap().clone();
            let at = path(at);
            let out = take_out(&mut object, &at).map(|path| path.join("."));
            assert_eq!((out.as_deref(), Value::from(object)), (taken, after), "{at:?}");
        }
    }

    #[test]
    fn members_that_a_schema_does_not_name_are_found_at_any_depth() {
        let schema = json!({
            "properties": {
                "total": {},
                "items": { "items": { "properties": { "sku": {} } } },
                "open": { "type": "object" },
                "more": { "properties": { "a": {} }, "additionalProperties": { "type": "string" } },
                "ref": { "$ref": "#/definitions/x", "properties": { "a": {} } },
            },
            "additionalProperties": true,
        });
        let value = json!({
            "total": 1, "tax": 2, "items": [{ "sku": "a" }, { "sku": "b", "name": "c" }], "open": { "x": 1 },
            "more": { "a": 1, "b": 2 }, "ref": { "b": 1 },
        });
        let mut found = Vec::new();
        Members::new(&schema).unplanned(value.as_object().unwrap(), &mut Vec::new(), &mut found);
        let found: Vec<String> = found.into_iter().map(|path| path.join(".")).collect();
        assert_eq!(found, ["items.1.name", "tax"]);
        let mut none = Vec::new();
        Members::new(&json!({})).unplanned(value.as_object().unwrap(), &mut Vec::new(), &mut none);
        assert!(none.is_empty(), "a schema that names nothing plans everything");
    }
}
