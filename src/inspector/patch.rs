//! The difference between two JSON texts of one event, as operations of JSON Patch with the value that was there.
//!
//! Values are compared as the text that they are, so that no number is rounded. Invariant: the operations, applied in
//! their order to the first text, give the second.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

/// A difference in one member or element.
#[derive(Debug, Serialize)]
pub(super) struct Change<'j> {
    /// `add`, `remove` or `replace`.
    op: &'static str,
    /// A JSON Pointer.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'j RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'j RawValue>,
}

/// Returns the differences. Text that is no JSON has none.
pub(super) fn patch<'j>(before: &'j [u8], after: &'j [u8]) -> Vec<Change<'j>> {
    let mut changes = Vec::new();
    let read = |json: &'j [u8]| serde_json::from_slice::<&RawValue>(json).ok();
    if let (Some(before), Some(after)) = (read(before), read(after)) {
        compare(&mut String::new(), before, after, &mut changes);
    }
    changes
}

type Members<'j> = BTreeMap<String, &'j RawValue>;
type Elements<'j> = Vec<&'j RawValue>;

fn compare<'j>(path: &mut String, before: &'j RawValue, after: &'j RawValue, changes: &mut Vec<Change<'j>>) {
    if before.get() == after.get() {
        return;
    }
    if let (Some(before), Some(after)) = (read::<Members<'j>>(before, '{'), read(after, '{')) {
        return compare_members(path, before, after, changes);
    }
    if let (Some(before), Some(after)) = (read::<Elements<'j>>(before, '['), read::<Elements<'j>>(after, '[')) {
        return compare_elements(path, &before, &after, changes);
    }
    changes.push(Change { op: "replace", path: path.clone(), old: Some(before), value: Some(after) });
}

/// Reads a value one level deep if it begins so.
fn read<'j, T: serde::Deserialize<'j>>(value: &'j RawValue, begins: char) -> Option<T> {
    value.get().starts_with(begins).then(|| serde_json::from_str(value.get()).ok()).flatten()
}

fn compare_members<'j>(path: &mut String, before: Members<'j>, mut after: Members<'j>, changes: &mut Vec<Change<'j>>) {
    for (name, old) in before {
        let new = after.remove(&name);
        below(path, &escaped(&name), |path| match new {
            Some(new) => compare(path, old, new, changes),
            None => changes.push(Change { op: "remove", path: path.clone(), old: Some(old), value: None }),
        });
    }
    for (name, new) in after {
        below(path, &escaped(&name), |path| changes.push(added(path, new)));
    }
}

fn compare_elements<'j>(
    path: &mut String,
    before: &[&'j RawValue],
    after: &[&'j RawValue],
    changes: &mut Vec<Change<'j>>,
) {
    for (index, (old, new)) in before.iter().zip(after).enumerate() {
        below(path, &index.to_string(), |path| compare(path, old, new, changes));
    }
    // From behind, so that each index is right when it is its turn.
    for (index, old) in before.iter().enumerate().skip(after.len()).rev() {
        below(path, &index.to_string(), |path| {
            changes.push(Change { op: "remove", path: path.clone(), old: Some(old), value: None });
        });
    }
    for (index, new) in after.iter().enumerate().skip(before.len()) {
        below(path, &index.to_string(), |path| changes.push(added(path, new)));
    }
}

fn added<'j>(path: &str, value: &'j RawValue) -> Change<'j> {
    Change { op: "add", path: path.to_owned(), old: None, value: Some(value) }
}

/// Calls `with` with the path of a member or element.
fn below(path: &mut String, name: &str, with: impl FnOnce(&mut String)) {
    let end = path.len();
    path.push('/');
    path.push_str(name);
    with(path);
    path.truncate(end);
}

/// As RFC 6901 has it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::patch;

    fn shown(before: &str, after: &str) -> Value {
        json!(patch(before.as_bytes(), after.as_bytes()))
    }

    #[test]
    fn each_difference_has_its_path_and_both_values() {
        let before = r#"{"event":"A","context":{"ip":"1.2.3.4","a/b":1},"properties":{"list":[1,2,3],"n":1}}"#;
        let after = r#"{"properties":{"n":1,"list":[1,{"x":2}],"new":null},"context":{"a/b":2},"event":"A"}"#;
        let expected = json!([
            {"op":"replace","path":"/context/a~1b","old":1,"value":2},
            {"op":"remove","path":"/context/ip","old":"1.2.3.4"},
            {"op":"replace","path":"/properties/list/1","old":2,"value":{"x":2}},
            {"op":"remove","path":"/properties/list/2","old":3},
            {"op":"add","path":"/properties/new","value":null},
        ]);
        assert_eq!(shown(before, after), expected);
        assert_eq!(shown(after, after), json!([]));
    }

    #[test]
    fn numbers_are_compared_as_they_are_written() {
        let changes = patch(b"{\"n\":18446744073709551616}", b"{\"n\":18446744073709551617}");
        let text = serde_json::to_string(&changes).unwrap();
        assert!(text.contains("18446744073709551616") && text.contains("18446744073709551617"), "{text}");
    }

    /// Applies operations that [`patch`] makes.
    fn apply(document: &mut Value, changes: &Value) {
        for change in changes.as_array().unwrap() {
            let path = change["path"].as_str().unwrap();
            let Some((parent, name)) = path.rsplit_once('/') else {
                *document = change["value"].clone();
                continue;
            };
            let name = name.replace("~1", "/").replace("~0", "~");
            match (document.pointer_mut(parent).unwrap(), change["op"].as_str().unwrap()) {
                (Value::Object(members), "remove") => drop(members.remove(&name)),
                (Value::Object(members), _) => drop(members.insert(name, change["value"].clone())),
                (Value::Array(elements), "remove") => drop(elements.remove(name.parse().unwrap())),
                (Value::Array(elements), "add") => elements.insert(name.parse().unwrap(), change["value"].clone()),
                (Value::Array(elements), _) => elements[name.parse::<usize>().unwrap()] = change["value"].clone(),
                (other, op) => panic!("{op} below {other}"),
            }
        }
    }

    #[test]
    fn the_operations_make_the_second_of_the_first() {
        use proptest::prelude::*;

        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[a-z~/]{0,3}".prop_map(Value::from)];
        let value = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ab~/]{0,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        proptest!(|(before in value.clone(), after in value)| {
            let (first, second) = (before.to_string(), after.to_string());
            let changes = shown(&first, &second);
            let mut document = before;
            apply(&mut document, &changes);
            prop_assert_eq!(document, after, "{}", changes);
        });
    }
}
