//! An `Object`, which is text as long as it can, does what a map of `serde_json` does.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tracklane::event::Object;

/// What is done to an object.
#[derive(Clone, Debug)]
pub enum Step {
    Insert(String, Value),
    /// Inserted as an object of this crate, not as a value.
    InsertObject(String, Map<String, Value>),
    Remove(String),
    Extend(Map<String, Value>),
    MergeUnder(Map<String, Value>),
    /// From here on a map.
    Edit(String, Value),
    /// To JSON text and back.
    ThroughJson,
    Clone,
}

/// Takes the steps with an object and with a map, and compares the two: what a step can change after each, and
/// everything at the end.
///
/// # Panics
///
/// If they differ.
pub fn compare(steps: impl IntoIterator<Item = Step>) {
    let (mut object, mut map) = (Object::new(), Map::new());
    for step in steps {
        let taken = step.clone();
        take(step, &mut object, &mut map);
        assert_eq!(object.len(), map.len(), "after {taken:?}");
        if let Step::Insert(key, _) | Step::InsertObject(key, _) | Step::Remove(key) | Step::Edit(key, _) = &taken {
            assert_eq!(object.get(key).as_ref(), map.get(key), "{key:?} after {taken:?}");
        }
    }
    assert_same(&object, &map);
}

fn take(step: Step, object: &mut Object, map: &mut Map<String, Value>) {
    match step {
        Step::Insert(key, value) => {
            assert_eq!(object.insert(&key, &value), map.get(&key).cloned(), "insert {key:?}");
            map.insert(key, value);
        }
        Step::InsertObject(key, members) => {
            object.insert(&key, members.iter().collect::<Object>());
            map.insert(key, Value::Object(members));
        }
        Step::Remove(key) => assert_eq!(object.remove(&key), map.remove(&key), "remove {key:?}"),
        Step::Extend(members) => {
            object.insert_all(&members);
            map.extend(members);
        }
        Step::MergeUnder(defaults) => {
            object.merge_under(&Object::from(defaults.clone()));
            fill(map, defaults);
        }
        Step::Edit(key, value) => {
            object.as_map_mut().insert(key.clone(), value.clone());
            map.insert(key, value);
        }
        Step::ThroughJson => {
            let json = serde_json::to_string(&object).expect("an object can be written");
            *object = serde_json::from_str(&json).expect("and read");
        }
        Step::Clone => *object = object.clone(),
    }
}

fn assert_same(object: &Object, map: &Map<String, Value>) {
    assert_eq!(&object.to_map(), map);
    assert_eq!(object.is_empty(), map.is_empty());
    for (key, value) in map {
        assert!(object.contains_key(key), "{key:?}");
        assert_eq!(object.get(key).as_ref(), Some(value), "{key:?}");
        assert_eq!(object.get_str(key).as_deref(), value.as_str(), "{key:?}");
        let absent = format!("{key}\u{0}");
        assert_eq!(object.contains_key(&absent), map.contains_key(&absent), "{absent:?}");
    }
    let members: Map<String, Value> = object.iter().map(|(key, value)| (key.into_owned(), value)).collect();
    assert_eq!((object.len(), &members), (map.len(), map));
    assert_eq!(object.keys().collect::<BTreeSet<_>>(), map.keys().map(Into::into).collect(), "keys");
    assert_eq!(object.clone().into_iter().collect::<Map<_, _>>(), *map, "into_iter");
    let json = serde_json::to_string(object).expect("an object can be written");
    assert_eq!(serde_json::from_str::<Value>(&json).expect("and read"), Value::Object(map.clone()));
    let mut edited = object.clone();
    assert_eq!(edited.as_map_mut(), map);
    assert_eq!(&edited, object, "text and map are equal");
}

/// What `merge_under` promises, in its plainest form.
fn fill(upper: &mut Map<String, Value>, below: Map<String, Value>) {
    for (key, value) in below {
        match (upper.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => fill(inner, value),
            (Some(_), _) => {}
            (None, value) => {
                upper.insert(key, value);
            }
        }
    }
}

/// `data`: a program of at most 64 steps.
pub fn check(data: &[u8]) {
    let mut program = Program(data);
    let steps = std::iter::from_fn(|| program.step());
    compare(steps.take(64));
}

/// Reads steps from bytes.
struct Program<'d>(&'d [u8]);

impl Program<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn step(&mut self) -> Option<Step> {
        Some(match self.byte()? % 10 {
            0..=2 => Step::Insert(self.text(), self.value(3)),
            3 => Step::InsertObject(self.text(), self.map(2)),
            4 => Step::Remove(self.text()),
            5 => Step::Extend(self.map(3)),
            6 => Step::MergeUnder(self.map(3)),
            7 => Step::Edit(self.text(), self.value(2)),
            8 => Step::ThroughJson,
            _ => Step::Clone,
        })
    }

    fn text(&mut self) -> String {
        let len = usize::from(self.byte().unwrap_or(0) % 8);
        let (text, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn value(&mut self, depth: u8) -> Value {
        let kinds = if depth == 0 { 6 } else { 8 };
        match self.byte().unwrap_or(0) % kinds {
            0 => Value::Null,
            1 => Value::Bool(self.byte().is_some_and(|byte| byte > 127)),
            2 => Value::from(u64::from_le_bytes(self.eight())),
            3 => Value::from(i64::from_le_bytes(self.eight())),
            // Infinite and NaN become null.
            4 => Value::from(f64::from_le_bytes(self.eight())),
            5 => Value::String(self.text()),
            6 => Value::Array((0..self.byte().unwrap_or(0) % 4).map(|_| self.value(depth - 1)).collect()),
            _ => Value::Object(self.map(depth - 1)),
        }
    }

    fn map(&mut self, depth: u8) -> Map<String, Value> {
        (0..self.byte().unwrap_or(0) % 6).map(|_| (self.text(), self.value(depth))).collect()
    }

    fn eight(&mut self) -> [u8; 8] {
        std::array::from_fn(|_| self.byte().unwrap_or(0))
    }
}
