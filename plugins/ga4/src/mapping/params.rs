//! Parameters as Google takes them: flat, few and short.

use serde_json::{Map, Value};

use super::rules;

/// Parameters of an event at most, with those that reports need.
const MOST: usize = 25;
/// The places that are reserved for `session_id`, `engagement_time_msec` and `debug_mode`.
const KEPT: usize = 3;
/// Items at most.
const MOST_ITEMS: usize = 200;
/// The parameters that are kept first if there are too many.
const FIRST: &[&str] = &[
    "transaction_id",
    "value",
    "currency",
    "items",
    "group_id",
    "page_location",
    "page_title",
    "page_referrer",
    "search_term",
    "coupon",
    "tax",
    "shipping",
];

/// Returns the parameters that Google takes of these. Nested ones are flattened, with `_` between their names.
/// Parameters with other names are left out, long texts are cut, and of too many the first by name are kept.
pub(super) fn fit(params: Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in params {
        if name == "items" {
            flat.insert(name, items(value));
        } else {
            flatten(&rules::name(&name), value, &mut flat);
        }
    }
    if flat.len() <= MOST - KEPT {
        return flat;
    }
    let known = FIRST.iter().filter_map(|name| flat.remove_entry(*name)).collect::<Vec<_>>();
    let left_out = flat.len() + known.len() - (MOST - KEPT);
    tracing::debug!(target: "tracklane_ga4", left_out, "an event has more parameters than Google takes");
    known.into_iter().chain(flat).take(MOST - KEPT).collect()
}

fn flatten(name: &str, value: Value, flat: &mut Map<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}_{}", rules::name(&member)), value, flat);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.into_iter().enumerate() {
                flatten(&format!("{name}_{index}"), value, flat);
            }
        }
        // A name that would be cut could be that of another.
        _ if !rules::is_param(name) || name.len() > rules::LONGEST_NAME => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            let cut = rules::cut(&text, rules::longest_value(name));
            flat.insert(name.to_owned(), cut);
        }
        // Google takes a number.
        Value::Bool(is) => {
            flat.insert(name.to_owned(), u8::from(is).into());
        }
        number => {
            flat.insert(name.to_owned(), number);
        }
    }
}

fn items(items: Value) -> Value {
    let Value::Array(items) = items else { return Value::Array(Vec::new()) };
    items.into_iter().take(MOST_ITEMS).collect()
}
