//! Parameters as Google takes them: flat, few and short.

use std::borrow::Cow;

use tracklane_http::{Json, JsonObject};

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
pub(super) fn fit<'e>(params: JsonObject<'e>) -> JsonObject<'e> {
    let mut flat = JsonObject::with_capacity(MOST);
    for (name, value) in params {
        if name == "items" {
            flat.insert(name, items(value));
        } else {
            flatten(rules::name(name), value, &mut flat);
        }
    }
    if flat.len() <= MOST - KEPT {
        return flat;
    }
    let mut kept: JsonObject<'e> = FIRST.iter().filter_map(|name| flat.remove_entry(name)).collect();
    let left_out = flat.len() + kept.len() - (MOST - KEPT);
    tracing::debug!(target: "tracklane_ga4", left_out, "an event has more parameters than Google takes");
    let mut others: Vec<_> = flat.into_iter().collect();
    others.sort_by(|(one, _), (other, _)| one.cmp(other));
    let room = (MOST - KEPT).saturating_sub(kept.len());
    kept.extend(others.into_iter().take(room));
    kept
}

fn flatten<'e>(name: Cow<'e, str>, value: Json<'e>, flat: &mut JsonObject<'e>) {
    match value.parsed() {
        Json::Null => {}
        Json::Object(members) => {
            for (member, value) in members {
                flatten(joined(&name, &rules::name(member)).into(), value, flat);
            }
        }
        Json::Array(values) => {
            for (index, value) in values.into_iter().enumerate() {
                flatten(numbered(&name, index).into(), value, flat);
            }
        }
        // A name that would be cut could be that of another.
        _ if !rules::is_param(&name) || name.len() > rules::LONGEST_NAME => {}
        // Google takes a number.
        Json::Bool(is) => flat.insert(name, u64::from(is)),
        value => match value.as_str().map(str::len) {
            Some(0) => {}
            Some(len) if len > rules::longest_value(&name) => {
                let cut = value.to_text().map(|text| rules::cut(text, rules::longest_value(&name)));
                flat.insert(name, cut.unwrap_or_default());
            }
            _ => flat.insert(name, value),
        },
    }
}

fn joined(name: &str, part: &str) -> String {
    [name, "_", part].concat()
}

fn numbered(name: &str, index: usize) -> String {
    match u8::try_from(index) {
        // Nearly all are short, and the machinery of numbers as text takes longer than all else of a parameter.
        Ok(digit @ 0..10) => joined(name, char::from(b'0' + digit).encode_utf8(&mut [0; 1])),
        _ => joined(name, &index.to_string()),
    }
}

/// Items that an event has itself. What is no object is no item: Google would drop the event.
fn items(items: Json<'_>) -> Json<'_> {
    let Json::Array(mut items) = items.parsed() else { return Json::Array(Vec::new()) };
    items.retain(|item| matches!(item, Json::Raw(text) if text.starts_with('{')) || item.as_object().is_some());
    items.truncate(MOST_ITEMS);
    Json::Array(items)
}
