//! Reads JSON text. A number, a string without escapes, and what is nested deeper than asked for stay text.
//!
//! Invariant: no text makes it panic or recurse deeply. Text that is not JSON is read up to the place where it is wrong;
//! [`EventJson::parse`](crate::EventJson::parse) refuses such text before.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::plain::plain_len;
use super::{Json, JsonObject};

/// Room for the members of most objects, and of an event itself, so that they do not grow.
const USUAL: usize = 8;
const OF_EVENT: usize = 12;

/// Levels of arrays and objects that are read at most.
const MOST_LEVELS: u8 = 127;

impl Json<'_> {
    /// Parses one level of an array or object that is [text](Self::Raw). Returns other values as they are.
    ///
    /// ```
    /// use tracklane_http::{EventJson, Json};
    ///
    /// let event = EventJson::parse(br#"{"type":"track","properties":{"tags":["a",["b"]]}}"#)?;
    /// let tags = event.properties().get("tags").cloned().map(Json::parsed);
    /// assert_eq!(tags, Some(Json::Array(vec!["a".into(), Json::Raw(r#"["b"]"#)])));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn parsed(self) -> Self {
        match self {
            Self::Raw(text) if matches!(text.as_bytes(), [b'[' | b'{', ..]) => value(text, 1).unwrap_or_default(),
            other => other,
        }
    }
}

/// From `serde_json` only: it borrows from the text.
impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        value(text, MOST_LEVELS).ok_or_else(|| D::Error::custom("JSON was expected"))
    }
}

/// From `serde_json` only: it borrows from the text.
impl<'de: 'a, 'a> Deserialize<'de> for JsonObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        object(text, MOST_LEVELS).ok_or_else(|| D::Error::custom("a JSON object was expected"))
    }
}

/// Reads the members of `text`, if it is an object. Of its values so many levels are read.
fn object(text: &str, levels: u8) -> Option<JsonObject<'_>> {
    let mut reader = Reader { text, at: 0 };
    (reader.peek()? == b'{').then(|| reader.object(levels, USUAL))
}

/// Reads the members of an event, if `text` is an object. Its sections stay text among them, and `section` gets the members
/// of each, read in the same pass: one level of properties and traits, and all of the context and the integrations.
pub(crate) fn event<'a>(text: &'a str, mut section: impl FnMut(&str, JsonObject<'a>)) -> Option<JsonObject<'a>> {
    let mut reader = Reader { text, at: 0 };
    let member = |reader: &mut Reader<'a>, name: &str| {
        let levels = match name {
            "properties" | "traits" => 0,
            "context" | "integrations" => MOST_LEVELS,
            _ => return reader.value(0),
        };
        if reader.peek()? != b'{' {
            return reader.value(0);
        }
        let start = reader.at;
        section(name, reader.object(levels, USUAL));
        Some(Json::Raw(reader.text.get(start..reader.at)?))
    };
    (reader.peek()? == b'{').then(|| reader.members(OF_EVENT, member))
}

/// Reads `text`, if it is a value. Of an array or object so many levels are read.
pub(crate) fn value(text: &str, levels: u8) -> Option<Json<'_>> {
    Reader { text, at: 0 }.value(levels)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, levels: u8) -> Option<Json<'a>> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' | b'[' if levels == 0 => self.nested().map(Json::Raw),
            b'{' => Some(Json::Object(self.object(levels - 1, USUAL))),
            b'[' => Some(Json::Array(self.array(levels - 1))),
            _ => self.scalar(),
        }
    }

    /// Reads the object that begins here, with room for so many members.
    fn object(&mut self, levels: u8, room: usize) -> JsonObject<'a> {
        self.members(room, |reader, _| reader.value(levels))
    }

    /// Reads the members of the object that begins here, each value by `value`.
    fn members(&mut self, room: usize, mut value: impl FnMut(&mut Self, &str) -> Option<Json<'a>>) -> JsonObject<'a> {
        let mut object = JsonObject::new();
        self.at += 1;
        while self.peek() == Some(b'"') {
            let Some(name) = self.name() else { break };
            if self.peek() != Some(b':') {
                break;
            }
            self.at += 1;
            let Some(value) = value(self, &name) else { break };
            if object.is_empty() {
                object = JsonObject::with_capacity(room);
            }
            // An event has each name once. Of a name that comes twice, `get` finds the first.
            object.push(name, value);
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.close(b'}');
        object
    }

    /// Reads the array that begins here.
    fn array(&mut self, levels: u8) -> Vec<Json<'a>> {
        let mut array = Vec::new();
        self.at += 1;
        while self.peek().is_some_and(|byte| byte != b']') {
            let Some(value) = self.value(levels) else { break };
            array.push(value);
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.close(b']');
        array
    }

    /// Passes the end of an array or object.
    fn close(&mut self, close: u8) {
        if self.peek() == Some(close) {
            self.at += 1;
        }
    }

    /// Reads the string that begins here.
    fn string(&mut self) -> Option<Json<'a>> {
        let (quoted, is_plain) = self.quoted()?;
        Some(if is_plain { Json::Raw(quoted) } else { Json::Text(Cow::Owned(unescaped(quoted)?)) })
    }

    /// Reads the name of a member.
    fn name(&mut self) -> Option<Cow<'a, str>> {
        let (quoted, is_plain) = self.quoted()?;
        Some(if is_plain { Cow::Borrowed(quoted.get(1..quoted.len() - 1)?) } else { Cow::Owned(unescaped(quoted)?) })
    }

    /// Passes the string that begins here. Returns its text with its quotes, and whether it has no escapes.
    fn quoted(&mut self) -> Option<(&'a str, bool)> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let (mut at, mut is_plain) = (start + 1, true);
        loop {
            at += plain_len(bytes.get(at..)?);
            match bytes.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                // A control character, which JSON does not have here.
                _ => at += 1,
            }
            is_plain = false;
        }
        self.at = at + 1;
        Some((self.text.get(start..self.at)?, is_plain))
    }

    /// Passes the array or object that begins here, and returns its text.
    fn nested(&mut self) -> Option<&'a str> {
        let (bytes, start, mut depth) = (self.text.as_bytes(), self.at, 0_usize);
        loop {
            match bytes.get(self.at)? {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Option<Json<'a>> {
        let rest = self.text.get(self.at..)?;
        let is_end = |byte: u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let token = rest.get(..rest.bytes().position(is_end).unwrap_or(rest.len()))?;
        self.at += token.len();
        match token {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(Json::Raw(number))
            }
            _ => None,
        }
    }

    /// Returns the next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }
}

/// Reads a string with escapes from its text with its quotes.
fn unescaped(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}
