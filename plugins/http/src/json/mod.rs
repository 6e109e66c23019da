//! JSON that borrows from the text that it was read from. So an event is mapped without copies, and what is only passed on
//! is neither parsed nor written again.
//!
//! A mapping's result is written at once. A hook of the user's gets a [`Value`](serde_json::Value), which owns everything.

mod object;
mod plain;
pub(crate) mod read;
mod write;

use std::borrow::Cow;

use serde_json::Number;

pub use object::JsonObject;

/// A value of JSON. Two are equal if they are written the same.
#[derive(Clone, Debug, Default)]
pub enum Json<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number that was not read. [`number`](crate::number) returns either kind.
    Number(Number),
    /// A string that has escapes, or was not read. [`Json::as_str`] returns either kind.
    Text(Cow<'a, str>),
    /// What was read, as text: a number, a string without escapes with its quotes, or an array or object that is
    /// [not parsed](Json::parsed).
    Raw(&'a str),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(JsonObject<'a>),
}

impl<'a> Json<'a> {
    /// Returns the member of that name, if it is a parsed object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.as_object()?.get(name)
    }

    /// Returns whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Raw(text) => unquoted(text),
            _ => None,
        }
    }

    /// Returns the text, if it is one, without a copy of what was read.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Raw(text) => unquoted(text).map(Cow::Borrowed),
            _ => None,
        }
    }

    /// Returns the digits, if it is a number.
    #[must_use]
    pub fn to_digits(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Raw(text) if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(Cow::Borrowed(text))
            }
            _ => None,
        }
    }

    /// Returns the boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(is) => Some(*is),
            _ => None,
        }
    }

    /// Returns the elements, if it is a parsed array.
    #[must_use]
    pub fn as_array(&self) -> Option<&Vec<Json<'a>>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the members, if it is a parsed object.
    #[must_use]
    pub fn as_object(&self) -> Option<&JsonObject<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the members for changes, if it is a parsed object.
    #[must_use]
    pub fn as_object_mut(&mut self) -> Option<&mut JsonObject<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        let written = |json: &Self| {
            let mut text = Vec::new();
            json.write(&mut text);
            text
        };
        written(self) == written(other)
    }
}

impl From<Json<'_>> for serde_json::Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(is) => Self::Bool(is),
            Json::Number(number) => Self::Number(number),
            Json::Text(text) => Self::String(text.into_owned()),
            Json::Raw(text) => serde_json::from_str(text).unwrap_or_default(),
            Json::Array(elements) => Self::Array(elements.into_iter().map(Into::into).collect()),
            Json::Object(object) => Self::Object(object.into()),
        }
    }
}

impl From<serde_json::Value> for Json<'_> {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;

        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(is),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::Array(elements) => Self::Array(elements.into_iter().map(Into::into).collect()),
            Value::Object(members) => Self::Object(members.into()),
        }
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Json<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json<'_> {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<i64> for Json<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Json<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

/// Infinity and NaN become `null`, as in `serde_json`.
impl From<f64> for Json<'_> {
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

impl<'a> From<JsonObject<'a>> for Json<'a> {
    fn from(object: JsonObject<'a>) -> Self {
        Self::Object(object)
    }
}

impl<'a, T: Into<Json<'a>>> From<Vec<T>> for Json<'a> {
    fn from(elements: Vec<T>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}
