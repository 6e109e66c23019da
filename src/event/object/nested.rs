//! Values inside values: merged, measured, and taken apart without recursion.

use serde_json::{Map, Value};

use super::{Form, Object};
use crate::event::MAX_DEPTH;

impl Object {
    /// Whether there are more than `limit` levels of nesting, this object included; without recursion.
    pub(crate) fn is_deeper_than(&self, limit: usize) -> bool {
        let Form::Map(map) = &self.form else { return false };
        let mut level: Vec<&Value> = map.values().collect();
        for _ in 1..limit {
            level = level.into_iter().flat_map(children).collect();
            if level.is_empty() {
                return false;
            }
        }
        level.into_iter().any(|value| matches!(value, Value::Array(_) | Value::Object(_)))
    }
}

/// What a plugin has put into a map may be of any depth; to drop it as it is would recurse as deep.
impl Drop for Object {
    fn drop(&mut self) {
        if self.is_map()
            && self.is_deeper_than(MAX_DEPTH)
            && let Form::Map(map) = &mut self.form
        {
            dismantle(Value::Object(std::mem::take(map)));
        }
    }
}

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

fn children(value: &Value) -> Vec<&Value> {
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
