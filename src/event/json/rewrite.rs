//! JSON text from elsewhere as this crate spells it, without a tree of values in between.
//!
//! Invariant: the text is what [`reader`](super::reader) and [`serializer`](super::serializer) make of it together, and
//! what they refuse is refused with the same error; but members stay in the order in which they came.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::error::{Problem, ValueError};
use super::number::{self, Number};
use super::raw_members::{ANY_KEY, INDEX_LIMIT_BITS, find, key_bit};
use super::reader::{Reader, not_json};
use super::serializer::{self, MAX_DEPTH, check_key};
use super::string::write_string;

/// The value of a member: a string, borrowed if it has no escapes, or something else.
pub(in crate::event) enum Found<'t> {
    Text(Cow<'t, str>),
    Other(Value),
}

/// The members of an object: some as text, the others as values.
pub(in crate::event) struct Split<'t, const N: usize, const K: usize> {
    /// Those of the known names, each in the place of its name.
    pub(in crate::event) known: [Option<Found<'t>>; K],
    pub(in crate::event) others: Map<String, Value>,
    text: Vec<u8>,
    places: [Option<(Range<usize>, u64)>; N],
}

/// The members of an object as text, without braces, and the filter of their keys.
pub(in crate::event) struct KnownMembers<'t> {
    pub(in crate::event) text: &'t [u8],
    pub(super) keys: u64,
}

impl From<Value> for Found<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Found::Text(text.into()),
            other => Found::Other(other),
        }
    }
}

impl From<Found<'_>> for Value {
    fn from(found: Found<'_>) -> Self {
        match found {
            Found::Text(text) => Value::String(text.into_owned()),
            Found::Other(value) => value,
        }
    }
}

impl<const N: usize, const K: usize> Split<'_, N, K> {
    /// The members of the object at this place of the names that were asked for.
    pub(in crate::event) fn object(&self, at: usize) -> Option<KnownMembers<'_>> {
        let (place, keys) = self.places.get(at)?.clone()?;
        Some(KnownMembers { text: self.text.get(place)?, keys })
    }
}

/// The members that `text` has, of which those named by `objects` are text if they are objects. `MAX_DEPTH` counts from
/// each of them. Those named by `known` cost no text of their own for their names. `None` if the text is no object.
pub(in crate::event) fn split<'t, const N: usize, const K: usize>(
    text: &'t [u8],
    objects: [&str; N],
    known: [&str; K],
) -> Result<Option<Split<'t, N, K>>, ValueError> {
    let mut reader = Reader::new(text)?;
    if reader.peek() != Some(b'{') {
        return Ok(None);
    }
    let (places, values) = ([const { None }; N], [const { None }; K]);
    let mut split = Split { known: values, others: Map::new(), text: Vec::with_capacity(text.len()), places };
    reader.begin(b'{')?;
    let mut first = true;
    while !reader.ends(b'}', std::mem::take(&mut first))? {
        let key = reader.key()?;
        let place = objects.iter().position(|name| *name == key).and_then(|at| split.places.get_mut(at));
        if let Some(place) = place {
            // Of a member that is there twice the last one counts.
            *place = None;
            split.others.remove(&*key);
            if reader.peek() == Some(b'{') {
                let begin = split.text.len();
                let keys = reader.rewrite_object(0, &mut split.text).map_err(|fault| fault.below(&key))?;
                *place = Some((begin + 1..split.text.len() - 1, keys));
                continue;
            }
        }
        let value = match reader.peek() {
            Some(b'"') => reader.string().map(Found::Text),
            _ => reader.value(0).map(Found::Other),
        };
        let value = value.map_err(|fault| fault.below(&key))?;
        match known.iter().position(|name| *name == key).and_then(|at| split.known.get_mut(at)) {
            Some(known) => *known = Some(value),
            None => drop(split.others.insert(key.into_owned(), value.into())),
        }
    }
    reader.end().map(|()| Some(split))
}

/// The members of the object that `text` is, without braces; `None` if it is something else.
pub(super) fn object(text: &[u8]) -> Result<Option<Vec<u8>>, ValueError> {
    let mut reader = Reader::new(text)?;
    if reader.peek() != Some(b'{') {
        return Ok(None);
    }
    let mut members = Vec::with_capacity(text.len());
    reader.rewrite(0, &mut members)?;
    reader.end()?;
    members.pop();
    members.remove(0);
    Ok(Some(members))
}

impl<'t> Reader<'t> {
    /// Appends the value that is next, which has `depth` levels above it.
    fn rewrite(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), ValueError> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(Problem::TooDeep.into()),
            Some(b'{') => self.rewrite_object(depth, out).map(drop),
            Some(b'[') => self.rewrite_array(depth, out),
            Some(b'"') => self.rewrite_string(out).map(drop),
            Some(b't') => self.rewrite_literal(b"true", out),
            Some(b'f') => self.rewrite_literal(b"false", out),
            Some(b'n') => self.rewrite_literal(b"null", out),
            _ => self.rewrite_number(out),
        }
    }

    /// Appends the object that is next. Returns the filter of its keys.
    fn rewrite_object(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<u64, ValueError> {
        let (from, begin) = (self.position(), out.len());
        out.push(b'{');
        if let Some(keys) = self.rewrite_members(depth, out)? {
            out.push(b'}');
            return Ok(keys);
        }
        // A map finds out sooner whether one of so many keys is there twice.
        self.go_back_to(from);
        out.truncate(begin);
        let value = self.value(depth)?;
        serializer::append(out, &value, depth).map(|()| ANY_KEY)
    }

    /// Appends the members of the object that is next, each key once. Returns the filter of the keys. Gives up, and
    /// returns `None`, if there are too many keys to tell them apart by their bits.
    fn rewrite_members(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<Option<u64>, ValueError> {
        let (begin, mut keys) = (out.len(), 0_u64);
        self.begin(b'{')?;
        while !self.ends(b'}', out.len() == begin)? {
            if self.peek() != Some(b'"') {
                return Err(not_json());
            }
            let end = out.len();
            if end > begin {
                out.push(b',');
            }
            let key = out.len();
            let name = self.rewrite_string(out)?;
            let key = key..out.len();
            check_key(&name).map_err(|fault| ValueError::from(fault).below(&name))?;
            self.begin(b':')?;
            out.push(b':');
            // The section and the key in it say enough.
            let value = self.rewrite(depth + 1, out);
            value.map_err(|fault| if depth == 0 { fault.below(&name) } else { fault })?;
            let bit = key_bit(inside(out, &key));
            if keys & bit == 0 {
                keys |= bit;
                continue;
            }
            if keys.count_ones() >= INDEX_LIMIT_BITS {
                return Ok(None);
            }
            let older = find(out.get(begin..end).unwrap_or_default(), inside(out, &key));
            if let Some(older) = older {
                // With its comma: this one is behind it.
                out.drain(begin + older.key.start..=begin + older.value.end);
            }
        }
        Ok(Some(keys))
    }

    fn rewrite_array(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.begin(b'[')?;
        out.push(b'[');
        let begin = out.len();
        while !self.ends(b']', out.len() == begin)? {
            if out.len() > begin {
                out.push(b',');
            }
            self.rewrite(depth + 1, out)?;
        }
        out.push(b']');
        Ok(())
    }

    /// Appends the string whose opening quote is next, and returns it.
    fn rewrite_string(&mut self, out: &mut Vec<u8>) -> Result<Cow<'t, str>, ValueError> {
        let begin = self.position();
        let string = self.string()?;
        match &string {
            // Without an escape, and without a character that needs one.
            Cow::Borrowed(_) => out.extend_from_slice(self.since(begin)),
            Cow::Owned(string) => write_string(out, string),
        }
        Ok(string)
    }

    fn rewrite_literal(&mut self, literal: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.skip(literal)?;
        out.extend_from_slice(literal);
        Ok(())
    }

    fn rewrite_number(&mut self, out: &mut Vec<u8>) -> Result<(), ValueError> {
        let token = self.number_token()?;
        if number::is_short(token.as_bytes()) {
            out.extend_from_slice(token.as_bytes());
            return Ok(());
        }
        match number::read(token)? {
            // Whole numbers have one spelling.
            Number::Positive(_) | Number::Negative(_) => out.extend_from_slice(token.as_bytes()),
            // A finite number can be written, and a `Vec` takes every byte.
            Number::Float(number) => drop(serde_json::to_writer(out, &number)),
        }
        Ok(())
    }
}

/// The key between its quotes.
fn inside<'t>(text: &'t [u8], key: &Range<usize>) -> &'t [u8] {
    text.get(key.start + 1..key.end - 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::reader::value;
    use super::{key_bit, object, split};

    /// What the tree says, and what the text says: the same value, or the same error.
    fn compare(text: &str) -> Result<(), TestCaseError> {
        let tree = value(text.as_bytes(), 0);
        if !matches!(tree, Ok(Value::Object(_)) | Err(_)) {
            return Ok(());
        }
        match (tree, object(text.as_bytes())) {
            (Ok(tree), Ok(Some(members))) => {
                let written = format!("{{{}}}", String::from_utf8(members).unwrap());
                prop_assert_eq!(&value(written.as_bytes(), 0).unwrap(), &tree, "{}", text);
                prop_assert_eq!(written.len(), tree.to_string().len(), "one spelling: {}", written);
                let again = object(written.as_bytes()).unwrap().unwrap();
                prop_assert_eq!(format!("{{{}}}", String::from_utf8(again).unwrap()), written);
            }
            (Err(tree), Err(text)) => prop_assert_eq!(tree.to_string(), text.to_string()),
            (Err(_), Ok(None)) => {}
            (tree, text) => prop_assert!(false, "{:?} {:?}", tree, text),
        }
        Ok(())
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            any::<f64>().prop_filter("JSON", |value| value.is_finite()).prop_map(|value| format!("{value:e}")),
            "[0-9]{1,30}(\\.[0-9]{1,4})?",
            "\\PC{0,10}".prop_map(|text| serde_json::to_string(&text).unwrap()),
            Just("\"\\u0041\\/\\ud83d\\ude00\"".to_owned()),
        ];
        scalar.prop_recursive(4, 64, 6, |inner| {
            // Few keys, so that some are there twice, one of them in two spellings.
            let key = prop::sample::select(vec!["a", "b", "\\u0061", "q\\\"", "$serde_json::private::x"]);
            let member = (key, inner.clone()).prop_map(|(key, value)| format!("\"{key}\" : {value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|items| format!("[ {} ]", items.join(" ,"))),
                prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",\n"))),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_is_rewritten_as_the_tree_would_be(text in json()) {
            compare(&text)?;
            compare(&format!(r#"{{"a":{text},"b":{text}}}"#))?;
        }

        #[test]
        fn what_is_nearly_json_is_refused_alike(text in r#"[\[\]{}",:\\0-9eE.truefalsn+ \n-]{0,60}"#) {
            compare(&text)?;
            compare(&format!(r#"{{"a":{text}}}"#))?;
        }
    }

    #[test]
    fn the_last_of_many_equal_keys_counts_and_takes_no_long_time() {
        let members: Vec<String> = (0..20_000).map(|n| format!("\"k{}\":{n}", n % 7_000)).collect();
        let text = format!("{{\"in\":{{{}}}}}", members.join(","));
        let begun = std::time::Instant::now();
        let written = object(text.as_bytes()).unwrap().unwrap();
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        let read = value(format!("{{{}}}", String::from_utf8(written).unwrap()).as_bytes(), 0).unwrap();
        assert_eq!(read["in"].as_object().unwrap().len(), 7_000);
        assert_eq!(read["in"]["k0"], 14_000);
    }

    #[test]
    fn sections_are_text_and_the_last_of_two_counts() {
        let read = |text: &'static str| split(text.as_bytes(), ["context", "traits"], ["known"]).unwrap().unwrap();
        let found = read(
            r#" {"a" : 1, "context" : { "b" : [ 1.50 ] , "c":"\u0041" } , "traits": null, "known":1, "kn\u006fwn":2} "#,
        );
        let context = found.object(0).unwrap();
        assert_eq!((context.text, context.keys), (&br#""b":[1.5],"c":"A""#[..], key_bit(b"b") | key_bit(b"c")));
        assert_eq!((found.object(1).is_none(), found.others.len()), (true, 2));
        assert_eq!(found.known.map(|found| found.map(Value::from)), [Some(Value::from(2))]);
        for (text, context, value) in [
            (r#"{"context":{"a":1},"context":{"b":2}}"#, Some("\"b\":2"), None),
            (r#"{"context":{"a":1},"context":5}"#, None, Some(5)),
            (r#"{"context":5,"context":{}}"#, Some(""), None),
        ] {
            let found = read(text);
            assert_eq!(found.object(0).map(|object| std::str::from_utf8(object.text).unwrap()), context, "{text}");
            assert_eq!(found.others.get("context").and_then(Value::as_u64), value, "{text}");
        }
        assert!(split(b"[1]", ["a"], []).unwrap().is_none());
        assert!(split(b"{\"a\":1} x", ["a"], []).is_err());
        let error = split(br#"{"context":{"a":{"b":1e999}}}"#, ["context"], []).err().unwrap().to_string();
        assert!(error.starts_with("context.a"), "{error}");
    }
}
