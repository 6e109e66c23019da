//! Nested values: merged, measured and dropped without recursion.

use serde_json::{Map, Value};

use super::{Form, Object};
use crate::event::json::error::{Problem, ValueError};
use crate::event::json::number;
use crate::event::json::serializer::{MAX_DEPTH, check_key};

impl Object {
    /// Returns whether there are more than `limit` levels, this object included. Uses no recursion.
    fn is_deeper_than(&self, limit: usize) -> bool {
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

/// A plugin may put values of any depth into a map. To drop them as they are would recurse just as deep.
impl Drop for Object {
    fn drop(&mut self) {
        if self.is_map()
            && self.is_deeper_than(MAX_DEPTH)
            && let Form::Map(map) = &mut self.form
        {
            drop_iteratively(Value::Object(std::mem::take(map)));
        }
    }
}

/// Checks a map that a plugin has edited, as the values of setters are checked.
pub(super) fn check(map: &Map<String, Value>) -> Result<(), ValueError> {
    for (key, value) in map {
        let checked = check_key(key).and_then(|()| check_value(value, 1));
        checked.map_err(|fault| match fault {
            Problem::TooDeep => ValueError::from(fault),
            fault => ValueError::from(fault).below(key),
        })?;
    }
    Ok(())
}

/// Checks a value with `depth` levels above it. The depth bounds the recursion.
fn check_value(value: &Value, depth: usize) -> Result<(), Problem> {
    match value {
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => Err(Problem::TooDeep),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1)),
        Value::Object(map) => {
            map.iter().try_for_each(|(key, value)| check_key(key).and_then(|()| check_value(value, depth + 1)))
        }
        // It may hold any digits, if another crate has `serde_json` keep them.
        Value::Number(number) if !number.is_i64() && !number.is_u64() => number::read(&number.to_string()).map(drop),
        _ => Ok(()),
    }
}

/// Adds to `upper` what it lacks of `below`. Both are bounded in depth, and so is the recursion.
pub(super) fn merge_missing(upper: &mut Map<String, Value>, below: Map<String, Value>) {
    for (key, value) in below {
        match (upper.get_mut(&key), value) {
            (None, value) => {
                upper.insert(key, value);
            }
            (Some(Value::Object(inner)), Value::Object(value)) => merge_missing(inner, value),
            (Some(_), _) => {}
        }
    }
}

/// Returns whether a value can be added at a path of keys.
pub(super) fn is_missing_at(map: &Map<String, Value>, first: &str, rest: &[&str]) -> bool {
    match (map.get(first), rest.split_first()) {
        (None, _) => true,
        (Some(Value::Object(inner)), Some((next, below))) => is_missing_at(inner, next, below),
        (Some(_), _) => false,
    }
}

/// Adds a value at a path of keys, with the objects on the path that are missing.
pub(super) fn insert_missing_at(map: &mut Map<String, Value>, first: &str, rest: &[&str], value: Value) {
    let Some((next, below)) = rest.split_first() else {
        map.entry(first).or_insert(value);
        return;
    };
    if let Value::Object(inner) = map.entry(first).or_insert_with(|| Value::Object(Map::new())) {
        insert_missing_at(inner, next, below, value);
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// Drops a value level by level. To drop it as it is would recurse as deep as it is nested.
pub(in crate::event) fn drop_iteratively(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => open.extend(map.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}
