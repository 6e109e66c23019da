//! Values inside values: merged, and taken apart without recursion.

use serde_json::{Map, Value};

/// `upper` gets what it lacks of `below`; both are bounded in depth, so the recursion is.
pub(super) fn fill(upper: &mut Map<String, Value>, below: Map<String, Value>) {
    for (key, value) in below {
        match (upper.get_mut(&key), value) {
            (None, value) => {
                upper.insert(key, value);
            }
            (Some(Value::Object(inner)), Value::Object(value)) => fill(inner, value),
            (Some(_), _) => {}
        }
    }
}

pub(super) fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// Takes a value apart level by level: dropping it would recurse as deep as it is.
pub(in crate::event) fn dismantle(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => open.extend(map.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}
