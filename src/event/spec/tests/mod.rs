//! Every setter against literal JSON, every table against the Spec's list of keys.

mod context;
mod errors;
mod events;
mod optional;
mod properties;
mod traits;

use std::collections::BTreeSet;

use serde::Serialize;

/// What one setter does, and the JSON of a section on which only it was called.
type Case<T> = (fn(T) -> T, &'static str);

/// Each case writes its JSON, and the cases together have a setter for each key of `tables`, which is in `spec`.
#[track_caller]
fn check<T: Default + Serialize>(cases: &[Case<T>], tables: &[&[&str]], spec: &str) {
    let mut tested = BTreeSet::new();
    for (set, json) in cases {
        assert_eq!(serde_json::to_string(&set(T::default())).unwrap(), *json);
        tested.insert(json.split('"').nth(1).unwrap());
    }
    assert_eq!(tested.len(), cases.len(), "one case per key");
    let in_tables: BTreeSet<_> = tables.concat().into_iter().collect();
    assert_eq!(in_tables, tested, "each setter has its case");
    let in_spec: BTreeSet<_> = spec.split_whitespace().collect();
    assert_eq!(in_tables, in_spec, "each key of the Spec has its setter");
}
