//! Reads JSON text as a value.
//!
//! Invariant: a number is read exactly or refused, and a key is nothing but a key. `serde_json` promises neither: it
//! rounds whole numbers beyond 64 bits, gives a meaning to some keys, and depends on the features that other crates
//! switch on (`arbitrary_precision`, `float_roundtrip`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::error::{Problem, ValueError};
use super::number::{self, Number};
use super::serializer::{MAX_DEPTH, check_key};
use super::string::plain_len;

/// Reads `text` as a value with `depth` levels above it.
pub(super) fn value(text: &[u8], depth: usize) -> Result<Value, ValueError> {
    let mut reader = Reader::new(text)?;
    let value = reader.value(depth)?;
    reader.end().map(|()| value)
}

/// Reads from `at` on.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// Checks the encoding once for all strings.
    pub(super) fn new(text: &'t [u8]) -> Result<Self, ValueError> {
        std::str::from_utf8(text).map(|text| Self { text, at: 0 }).map_err(|_| not_json())
    }

    /// How far it has read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads again from a [position](Self::position).
    pub(super) fn go_back_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Value, ValueError> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(Problem::TooDeep.into()),
            Some(b'{') => Ok(Value::Object(self.object(|reader, key| {
                let value = reader.value(depth + 1);
                // The section and the key in it are enough.
                value.map_err(|fault| if depth == 0 { fault.below(key) } else { fault })
            })?)),
            Some(b'[') => self.array(depth).map(Value::Array),
            Some(b'"') => self.string().map(|string| Value::String(string.into_owned())),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(
        &mut self,
        mut value: impl FnMut(&mut Self, &str) -> Result<Value, ValueError>,
    ) -> Result<Map<String, Value>, ValueError> {
        let mut members = Map::new();
        self.begin(b'{')?;
        while !self.ends(b'}', members.is_empty())? {
            let key = self.key()?;
            let value = value(self, &key)?;
            members.insert(key.into_owned(), value);
        }
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, ValueError> {
        let mut items = Vec::new();
        self.begin(b'[')?;
        while !self.ends(b']', items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(items)
    }

    /// Reads the key of the next member, and the colon behind it.
    pub(super) fn key(&mut self) -> Result<Cow<'t, str>, ValueError> {
        if self.peek() != Some(b'"') {
            return Err(not_json());
        }
        let key = self.string()?;
        check_key(&key).map_err(|fault| ValueError::from(fault).below(&key))?;
        self.begin(b':')?;
        Ok(key)
    }

    /// Reads the string whose opening quote is next. It is borrowed if it has no escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'t, str>, ValueError> {
        let (begin, mut has_escapes) = (self.at, false);
        let mut end = begin + 1;
        loop {
            end += plain_len(self.bytes().get(end..).unwrap_or_default());
            match self.bytes().get(end) {
                Some(b'"') => break,
                Some(b'\\') => (has_escapes, end) = (true, end + 2),
                // Must be escaped in JSON.
                _ => return Err(not_json()),
            }
        }
        self.at = end + 1;
        if has_escapes {
            let quoted = self.text.get(begin..=end).unwrap_or_default();
            return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| not_json());
        }
        self.text.get(begin + 1..end).map(Cow::Borrowed).ok_or_else(not_json)
    }

    /// The text from a [position](Self::position) to where it has read.
    pub(super) fn since(&self, position: usize) -> &'t [u8] {
        self.bytes().get(position..self.at).unwrap_or_default()
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn number(&mut self) -> Result<Value, ValueError> {
        Ok(match number::read(self.number_token()?)? {
            Number::Positive(number) => number.into(),
            Number::Negative(number) => number.into(),
            Number::Float(number) => number.into(),
        })
    }

    /// Returns the text of the next number.
    pub(super) fn number_token(&mut self) -> Result<&'t str, ValueError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).ok_or_else(not_json)
    }

    fn literal(&mut self, literal: &str, value: Value) -> Result<Value, ValueError> {
        self.skip(literal.as_bytes()).map(|()| value)
    }

    /// Skips `literal`, which must be next.
    pub(super) fn skip(&mut self, literal: &[u8]) -> Result<(), ValueError> {
        if !self.bytes().get(self.at..).is_some_and(|rest| rest.starts_with(literal)) {
            return Err(not_json());
        }
        self.at += literal.len();
        Ok(())
    }

    /// Skips `byte`, which must be next.
    pub(super) fn begin(&mut self, byte: u8) -> Result<(), ValueError> {
        if self.peek() != Some(byte) {
            return Err(not_json());
        }
        self.at += 1;
        Ok(())
    }

    /// Returns whether `close` is next, and skips it. Otherwise a comma must be next, except before the first element.
    pub(super) fn ends(&mut self, close: u8, first: bool) -> Result<bool, ValueError> {
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(true);
        }
        if !first {
            self.begin(b',')?;
        }
        Ok(false)
    }

    /// Returns the next byte that is not white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes().get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    pub(super) fn end(mut self) -> Result<(), ValueError> {
        if self.peek().is_some() { Err(not_json()) } else { Ok(()) }
    }
}

#[cold]
pub(super) fn not_json() -> ValueError {
    Problem::Unserializable("it is not JSON".to_owned()).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::value;

    proptest! {
        /// `serde_json`, as it is set up here, reads all of JSON. Other tests cover what is refused beyond that.
        #[test]
        fn what_is_read_is_what_serde_json_reads(text in r#"[\[\]{}",:\\0-9eE.truefalsn+ \n-]{0,60}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match value(text.as_bytes(), 0) {
                Ok(ours) => prop_assert_eq!(Some(ours), theirs.ok(), "{:?}", text),
                Err(fault) if fault.to_string().contains("not JSON") => prop_assert!(theirs.is_err(), "{:?}", text),
                Err(_) => {}
            }
        }
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        let texts = [
            "",
            " ",
            "{",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{1:2}",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "tru",
            "nulll",
            "1 2",
            "]",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "-",
            "--1",
            "1e+",
            "NaN",
            "Infinity",
            "[}",
            "{\"a\" 1}",
        ];
        for text in texts {
            assert!(value(text.as_bytes(), 0).is_err(), "{text}");
        }
        assert!(value(b"\"\xff\"", 0).is_err());
        assert_eq!(
            value(b" [ 1 , { \"a\" : [ ] , \"b\" : { } } ]\n", 0).unwrap().to_string(),
            r#"[1,{"a":[],"b":{}}]"#
        );
        assert_eq!(value(br#"{"a":1,"a":2}"#, 0).unwrap().to_string(), r#"{"a":2}"#, "the last one counts");
    }
}
