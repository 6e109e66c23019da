//! Parameters as Google takes them: flat, few and short.

use std::ops::Range;

use serde_json::{Map, Value};
use tracklane_http::{Json, JsonObject, number};

use super::rules;

/// Parameters of an event at most, with those that reports need.
pub(super) const MOST: usize = 25;
/// Items at most.
pub(super) const MOST_ITEMS: usize = 200;
/// Bytes of the names of most events' parameters, so that they do not grow.
const USUAL_NAMES: usize = 512;
/// The parameters that are kept first if there are too many.
const FIRST: &[&str] = &[
    "session_id",
    "engagement_time_msec",
    "debug_mode",
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

/// Flat parameters, each name once.
#[derive(Default)]
pub(crate) struct Params<'e> {
    /// The names as keys of JSON: in quotes, which none of their letters has to be kept from, and with a colon. The
    /// name of an object or array is a quote and its letters, in front of the names of what is in it, and a brace is
    /// behind them.
    names: String,
    /// The place of each name between its quotes, and the value.
    params: Vec<(Range<usize>, Json<'e>)>,
    /// The bits of the names. One without its bit is not there.
    bits: u64,
}

/// Returns the parameters that Google takes of these. Nested ones are flattened, with `_` between their names.
/// Parameters with other names are left out, and long texts are cut. They may be too many.
pub(super) fn fit<'e>(params: JsonObject<'e>) -> Params<'e> {
    let mut flat = Params { names: String::with_capacity(USUAL_NAMES), params: Vec::with_capacity(MOST), bits: 0 };
    for (name, value) in params {
        if name == "items" {
            flat.set(&name, items(value));
        } else {
            flat.flatten(None, &rules::name(name), value);
        }
    }
    flat
}

impl<'e> Params<'e> {
    /// Sets a parameter. One that is there keeps its place. Its name must be one that Google takes.
    pub(super) fn set(&mut self, name: &str, value: Json<'e>) {
        let name = self.begin(None, name);
        self.end(name, value);
    }

    /// Returns whether there is a parameter of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&Json<'e>> {
        let at = if self.bits & bit(name) == 0 { None } else { self.position(name) };
        self.params.get(at?).map(|(_, value)| value)
    }

    /// Takes a parameter out if it is not a number. Its name stays in the text of the names. Returns whether there is
    /// one then.
    #[inline]
    pub(super) fn keep_number(&mut self, name: &str) -> bool {
        // Nearly no event has one.
        self.bits & bit(name) != 0 && self.keep_known_number(name)
    }

    #[cold]
    fn keep_known_number(&mut self, name: &str) -> bool {
        let Some(at) = self.position(name) else { return false };
        let is_number = self.params.get(at).is_some_and(|(_, value)| number(value).is_some());
        if !is_number {
            self.params.remove(at);
        }
        is_number
    }

    /// Appends them as a JSON object.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (name, value)) in self.params.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            // With its quotes and the colon.
            out.extend_from_slice(self.names.get(name.start - 1..name.end + 2).unwrap_or_default().as_bytes());
            value.write(out);
        }
        out.push(b'}');
    }

    /// Adds a value under its name, or what is in it under names of their own. `above` is the name of what it is in.
    fn flatten(&mut self, above: Option<&Range<usize>>, part: &str, value: Json<'e>) {
        if value.is_null() {
            return;
        }
        let (name, before) = (self.begin(above, part), self.params.len());
        // A name that would be cut could be that of another. So could those of what is in it, which are longer.
        if name.len() > rules::LONGEST_NAME {
            self.take_back(&name);
            return;
        }
        match value {
            Json::Raw(text) if text.starts_with('{') => self.flatten_members(&name, value),
            Json::Raw(text) if text.starts_with('[') => self.flatten_elements(&name, value),
            Json::Object(_) => self.flatten_members(&name, value),
            Json::Array(_) => self.flatten_elements(&name, value),
            value => match self.names.get(name.clone()).and_then(|name| leaf(name, value)) {
                Some(value) => return self.end(name, value),
                None => return self.take_back(&name),
            },
        }
        match self.params.len() == before {
            true => self.take_back(&name),
            false => self.names.push('}'),
        }
    }

    fn flatten_members(&mut self, name: &Range<usize>, object: Json<'e>) {
        object.for_each_member(|member, value| self.flatten(Some(name), &rules::name(member), value));
    }

    fn flatten_elements(&mut self, name: &Range<usize>, array: Json<'e>) {
        let mut index = 0;
        array.for_each_element(|value| {
            match u8::try_from(index) {
                // Nearly all are short, and the machinery of numbers as text takes longer than all else of a parameter.
                Ok(digit @ 0..10) => {
                    self.flatten(Some(name), char::from(b'0' + digit).encode_utf8(&mut [0; 1]), value);
                }
                _ => self.flatten(Some(name), &index.to_string(), value),
            }
            index += 1;
        });
    }

    /// Begins a name: `part`, behind the name of what it is in.
    fn begin(&mut self, above: Option<&Range<usize>>, part: &str) -> Range<usize> {
        self.names.push('"');
        let start = self.names.len();
        if let Some(above) = above {
            self.names.extend_from_within(above.clone());
            self.names.push('_');
        }
        self.names.push_str(part);
        start..self.names.len()
    }

    /// Ends the name that was begun last, and sets its value.
    fn end(&mut self, name: Range<usize>, value: Json<'e>) {
        let bit = bit(self.names.get(name.clone()).unwrap_or_default());
        if self.bits & bit != 0 && self.replace(&name, &value) {
            return;
        }
        self.bits |= bit;
        self.names.push_str("\":");
        self.params.push((name, value));
    }

    /// Sets the value of a parameter that is there, and takes the name back that was begun for it.
    fn replace(&mut self, name: &Range<usize>, value: &Json<'e>) -> bool {
        let known = self.names.get(name.clone()).and_then(|name| self.position(name));
        let Some((_, known)) = known.and_then(|at| self.params.get_mut(at)) else { return false };
        known.clone_from(value);
        self.take_back(name);
        true
    }

    /// Takes back a name that was begun, and those behind it.
    fn take_back(&mut self, name: &Range<usize>) {
        self.names.truncate(name.start - 1);
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|(place, _)| self.names.get(place.clone()) == Some(name))
    }

    /// Leaves out those that are too many. What reports need is kept first, then the event's own by name, then what is
    /// in objects and arrays: the outer ones first, and those of one in their order.
    pub(super) fn leave_out(&mut self) {
        let Some(left_out @ 1..) = self.params.len().checked_sub(MOST) else { return };
        tracing::debug!(target: "tracklane_ga4", left_out, "an event has more parameters than Google takes");
        let depths = self.depths();
        let mut ranked: Vec<_> = std::mem::take(&mut self.params).into_iter().zip(depths).collect();
        let name = |place: &Range<usize>| self.names.get(place.clone()).unwrap_or_default();
        ranked.sort_by_cached_key(|((place, _), depth)| {
            let name = name(place);
            let first = FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
            (first, *depth, if *depth == 0 { name } else { "" })
        });
        ranked.truncate(MOST);
        self.params = ranked.into_iter().map(|(param, _)| param).collect();
    }

    /// In how many objects and arrays each is.
    fn depths(&self) -> Vec<i32> {
        let (mut depth, mut from) = (0, 0);
        let depth_of = |(place, _): &(Range<usize>, Json<'e>)| {
            let before = self.names.get(from..place.start - 1).unwrap_or_default();
            from = place.start - 1;
            // A quote opens an object or array. A parameter has two, and a colon.
            let opened = |byte| match byte {
                b'"' => 1,
                b':' => -2,
                b'}' => -1,
                _ => 0,
            };
            depth += before.bytes().map(opened).sum::<i32>();
            depth
        };
        self.params.iter().map(depth_of).collect()
    }
}

impl From<Params<'_>> for Map<String, Value> {
    fn from(params: Params<'_>) -> Self {
        let Params { names, params, .. } = params;
        let name = |place: Range<usize>| names.get(place).unwrap_or_default().to_owned();
        params.into_iter().map(|(place, value)| (name(place), value.into())).collect()
    }
}

/// One of 64 bits, by the length and the last letter of a name.
fn bit(name: &str) -> u64 {
    let last = name.bytes().next_back().unwrap_or_default();
    1 << ((name.len() + 7 * usize::from(last)) % 64)
}

/// The value of a parameter that is neither an array nor an object, if Google takes it.
fn leaf<'e>(name: &str, value: Json<'e>) -> Option<Json<'e>> {
    if !rules::is_param(name) {
        return None;
    }
    // Google takes a number.
    if let Json::Bool(is) = value {
        return Some(Json::Raw(if is { "1" } else { "0" }));
    }
    match value.as_str().map(str::len) {
        Some(0) => None,
        Some(len) if len > rules::longest_value(name) => {
            let text = value.to_text().unwrap_or_default();
            Some(rules::cut(text, rules::longest_value(name)).into())
        }
        _ => Some(value),
    }
}

/// Items that an event has itself. What is no object is no item: Google would drop the event.
fn items(items: Json<'_>) -> Json<'_> {
    let Json::Array(mut items) = items.parsed() else { return Json::Array(Vec::new()) };
    items.retain(|item| matches!(item, Json::Raw(text) if text.starts_with('{')) || item.as_object().is_some());
    items.truncate(MOST_ITEMS);
    Json::Array(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written, not what a map would make of it: a name that was there twice would be.
    #[test]
    fn each_name_is_written_once_and_keeps_its_place() {
        for (properties, expected) in [
            (r#"{"a b":1,"c":2,"a_b":3}"#, r#"{"a_b":3,"c":2}"#),
            (r#"{"a_b":1,"a":{"b":{"c":2},"b":"x"},"c":[[true],{"d":[]}]}"#, r#"{"a_b":"x","a_b_c":2,"c_0_0":1}"#),
            (r#"{"a":{"b":null,"c":""},"d":{"e":{}}}"#, "{}"),
        ] {
            let mut params = fit(serde_json::from_str(properties).unwrap());
            params.set("engagement_time_msec", Json::Raw("1"));
            params.set("engagement_time_msec", Json::Raw("2"));
            assert!(params.has("engagement_time_msec") && !params.has("engagement_time_mse"));
            let mut text = Vec::new();
            params.write(&mut text);
            let expected = match expected.strip_suffix('}') {
                Some("{") => r#"{"engagement_time_msec":2}"#.to_owned(),
                members => format!("{},\"engagement_time_msec\":2}}", members.unwrap()),
            };
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{properties}");
        }
    }
}
