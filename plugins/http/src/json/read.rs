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

impl<'a> Json<'a> {
    /// Calls `each` with the members of an object. Of an object that is [text](Self::Raw) no tree is made. Other values have
    /// no members.
    ///
    /// ```
    /// use tracklane_http::Json;
    ///
    /// let mut found = Vec::new();
    /// Json::Raw(r#"{"a":{"b":[1]}}"#).for_each_member(|name, value| found.push((name, value)));
    /// assert_eq!(found, [("a".into(), Json::Raw(r#"{"b":[1]}"#))]);
    /// ```
    pub fn for_each_member(self, mut each: impl FnMut(Cow<'a, str>, Json<'a>)) {
        match self {
            Self::Raw(text) if text.starts_with('{') => {
                Reader { text, at: 0 }.each_member(|reader, name| {
                    each(name, reader.value(0)?);
                    Some(())
                });
            }
            Self::Object(object) => object.into_iter().for_each(|(name, value)| each(name, value)),
            _ => {}
        }
    }

    /// Calls `each` with the elements of an array, in the same way.
    pub fn for_each_element(self, mut each: impl FnMut(Json<'a>)) {
        match self {
            Self::Raw(text) if text.starts_with('[') => {
                Reader { text, at: 0 }.each_element(|reader| {
                    each(reader.value(0)?);
                    Some(())
                });
            }
            Self::Array(elements) => elements.into_iter().for_each(each),
            _ => {}
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
    (reader.peek()? == b'{').then(|| reader.object(levels))
}

/// Reads an event, if `text` is an object: its members, and those of its sections in the same pass. Sections stay text among
/// the members of the event.
pub(crate) fn event<'a>(text: &'a str, members: &mut JsonObject<'a>, sections: &mut Sections<'a>) -> Option<()> {
    let mut reader = Reader { text, at: 0 };
    if reader.peek()? != b'{' {
        return None;
    }
    reader.each_member(|reader, name| {
        let value = match sections.of(&name) {
            Some((section, levels)) if reader.peek()? == b'{' => {
                let start = reader.at;
                section.clear();
                reader.members(section, levels);
                Json::Raw(reader.text.get(start..reader.at)?)
            }
            _ => reader.value(0)?,
        };
        members.reserve_first(OF_EVENT);
        members.push(name, value);
        Some(())
    });
    Some(())
}

/// The members of an event's sections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections<'a> {
    pub(crate) properties: JsonObject<'a>,
    pub(crate) traits: JsonObject<'a>,
    pub(crate) context: JsonObject<'a>,
    pub(crate) integrations: JsonObject<'a>,
}

impl<'a> Sections<'a> {
    /// The section of that name, and how many levels of its values are read: one of properties and traits, and all of the
    /// context and the integrations.
    fn of(&mut self, name: &str) -> Option<(&mut JsonObject<'a>, u8)> {
        match name {
            "properties" => Some((&mut self.properties, 0)),
            "traits" => Some((&mut self.traits, 0)),
            "context" => Some((&mut self.context, MOST_LEVELS)),
            "integrations" => Some((&mut self.integrations, MOST_LEVELS)),
            _ => None,
        }
    }

    /// Removes everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        for section in [&mut self.properties, &mut self.traits, &mut self.context, &mut self.integrations] {
            section.clear();
        }
    }
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
            b'{' => Some(Json::Object(self.object(levels - 1))),
            b'[' => Some(Json::Array(self.array(levels - 1))),
            _ => self.scalar(),
        }
    }

    /// Reads the object that begins here.
    fn object(&mut self, levels: u8) -> JsonObject<'a> {
        let mut object = JsonObject::new();
        self.members(&mut object, levels);
        object
    }

    /// Reads the members of the object that begins here.
    fn members(&mut self, object: &mut JsonObject<'a>, levels: u8) {
        self.each_member(|reader, name| {
            let value = reader.value(levels)?;
            object.reserve_first(USUAL);
            // An event has each name once. Of a name that comes twice, `get` finds the first.
            object.push(name, value);
            Some(())
        });
    }

    /// Calls `each` at each value of the object that begins here, which it reads.
    fn each_member(&mut self, mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Option<()>) {
        self.at += 1;
        while self.peek() == Some(b'"') {
            let Some(name) = self.name() else { break };
            if self.peek() != Some(b':') {
                break;
            }
            self.at += 1;
            if each(self, name).is_none() || self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.close(b'}');
    }

    /// Reads the array that begins here.
    fn array(&mut self, levels: u8) -> Vec<Json<'a>> {
        let mut array = Vec::new();
        self.each_element(|reader| {
            array.push(reader.value(levels)?);
            Some(())
        });
        array
    }

    /// Calls `each` at each element of the array that begins here, which it reads.
    fn each_element(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) {
        self.at += 1;
        while self.peek().is_some_and(|byte| byte != b']') {
            if each(self).is_none() || self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.close(b']');
    }

    /// Passes the end of an array or object.
    fn close(&mut self, close: u8) {
        if self.peek() == Some(close) {
            self.at += 1;
        }
    }

    /// Reads the string that begins here.
    #[inline]
    fn string(&mut self) -> Option<Json<'a>> {
        let (quoted, is_plain) = self.quoted()?;
        Some(if is_plain { Json::Raw(quoted) } else { Json::Text(Cow::Owned(unescaped(quoted)?)) })
    }

    /// Reads the name of a member.
    #[inline]
    fn name(&mut self) -> Option<Cow<'a, str>> {
        let (quoted, is_plain) = self.quoted()?;
        Some(if is_plain { Cow::Borrowed(quoted.get(1..quoted.len() - 1)?) } else { Cow::Owned(unescaped(quoted)?) })
    }

    /// Passes the string that begins here. Returns its text with its quotes, and whether it has no escapes.
    #[inline]
    fn quoted(&mut self) -> Option<(&'a str, bool)> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let (mut at, mut is_plain) = (start + 1, true);
        loop {
            at += plain_len(bytes.get(at..)?)?;
            if bytes.get(at) == Some(&b'"') {
                break;
            }
            // With what is escaped.
            at += 2;
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
