//! The reason why a value cannot be part of an event, and its place.
//!
//! An object that holds such an error is written into another one through serde, whose errors carry only text. So an
//! error has a second text form (`{:#}`) that holds everything, and [`ser::Error::custom`] reads it back. That works
//! through every adapter of serde (`flatten`, tags) whose error type is this one.

use std::fmt;

use serde::ser;

use super::serializer::MAX_DEPTH;
use crate::event::timestamp::{InvalidTimestamp, Timestamp};

/// The error of a value that an event cannot carry: its place and the reason. One pointer, because every setter returns
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueError(Box<Located>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Located {
    /// The path from the outermost object; empty for the value itself.
    key: String,
    problem: Problem,
}

/// The reason why a value cannot be part of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("a number is not finite")]
    NotFinite,
    #[error("a number that 64 bits cannot hold exactly")]
    Inexact,
    #[error("more than {MAX_DEPTH} levels of nesting")]
    TooDeep,
    #[error("{0}")]
    Unserializable(String),
    #[error("{0}, and must be an object with keys")]
    NotAnObject(JsonType),
    #[error("{0}, and must be a number")]
    NotANumber(JsonType),
    #[error("{0}, and must be a list")]
    NotAList(JsonType),
    #[error(transparent)]
    Timestamp(InvalidTimestamp),
}

/// The type of a JSON value.
///
/// Exhaustive: JSON has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonType {
    /// `null`; `None` and `()` are written so.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl JsonType {
    const ALL: [JsonType; 6] =
        [JsonType::Null, JsonType::Boolean, JsonType::Number, JsonType::String, JsonType::Array, JsonType::Object];

    /// Returns the type of a value whose text begins with `first`.
    pub(super) fn from_first_byte(first: Option<&u8>) -> Self {
        match first {
            Some(b'n') => JsonType::Null,
            Some(b't' | b'f') => JsonType::Boolean,
            Some(b'"') => JsonType::String,
            Some(b'[') => JsonType::Array,
            Some(b'{') => JsonType::Object,
            _ => JsonType::Number,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            JsonType::Null => "null",
            JsonType::Boolean => "a boolean",
            JsonType::Number => "a number",
            JsonType::String => "a string",
            JsonType::Array => "an array",
            JsonType::Object => "an object",
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Problem> for ValueError {
    #[cold]
    fn from(problem: Problem) -> Self {
        Self(Box::new(Located { key: String::new(), problem }))
    }
}

impl ValueError {
    /// Returns the error as an object sees it that has the faulty value at `key`.
    pub(super) fn below(mut self, key: &str) -> Self {
        let path = &mut self.0.key;
        if path.is_empty() {
            key.clone_into(path);
        } else if !key.is_empty() {
            *path = format!("{key}.{path}");
        }
        self
    }

    /// Returns the place and the reason.
    pub(crate) fn into_parts(self) -> (String, Problem) {
        (self.0.key, self.0.problem)
    }

    pub(super) fn is_inexact(&self) -> bool {
        self.0.problem == Problem::Inexact
    }

    /// Returns whether the value is nested too deeply to be dropped. An object inside drops itself without recursion.
    pub(super) fn forbids_drop(&self) -> bool {
        self.0.key.is_empty() && self.0.problem == Problem::TooDeep
    }
}

/// Writes the place and the reason; with `{:#}` a text from which [`parse_carried`] makes the error again.
impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Located { key, problem } = &*self.0;
        match key.as_str() {
            _ if f.alternate() => write!(f, "{CARRIED}{}", carried(key, problem)),
            "" => write!(f, "{problem}"),
            key => write!(f, "{key}: {problem}"),
        }
    }
}

impl std::error::Error for ValueError {}

impl ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        parse_carried(&format!("{message:#}")).unwrap_or_else(|| Problem::Unserializable(message.to_string()).into())
    }
}

/// The start of an error's full text.
const CARRIED: &str = "\0tracklane value error ";

/// Returns the key, the name of the problem, and its details.
fn carried(key: &str, problem: &Problem) -> serde_json::Value {
    let (name, detail) = match problem {
        Problem::NotFinite => ("not finite", ""),
        Problem::Inexact => ("inexact", ""),
        Problem::TooDeep => ("too deep", ""),
        Problem::Unserializable(why) => ("unserializable", why.as_str()),
        Problem::NotAnObject(found) => ("not an object", found.as_str()),
        Problem::NotANumber(found) => ("not a number", found.as_str()),
        Problem::NotAList(found) => ("not a list", found.as_str()),
        Problem::Timestamp(error) => ("timestamp", error.text()),
    };
    [key, name, detail].as_slice().into()
}

fn parse_carried(text: &str) -> Option<ValueError> {
    let [key, name, detail]: [String; 3] = serde_json::from_str(text.strip_prefix(CARRIED)?).ok()?;
    let found = || JsonType::ALL.into_iter().find(|found| found.as_str() == detail);
    let problem = match name.as_str() {
        "not finite" => Problem::NotFinite,
        "inexact" => Problem::Inexact,
        "too deep" => Problem::TooDeep,
        "not an object" => Problem::NotAnObject(found()?),
        "not a number" => Problem::NotANumber(found()?),
        "not a list" => Problem::NotAList(found()?),
        "timestamp" => Problem::Timestamp(detail.parse::<Timestamp>().err()?),
        _ => Problem::Unserializable(detail),
    };
    Some(ValueError(Box::new(Located { key, problem })))
}

#[cfg(test)]
mod tests {
    use serde::ser::Error as _;

    use super::{JsonType, Problem, Timestamp, ValueError};

    #[test]
    fn an_error_survives_the_text_of_serde() {
        let timestamp = "yesterday".parse::<Timestamp>().unwrap_err();
        let problems = [
            Problem::NotFinite,
            Problem::Inexact,
            Problem::TooDeep,
            Problem::Unserializable("a \"lock\" is poisoned".to_owned()),
            Problem::Timestamp(timestamp),
        ];
        let types = [Problem::NotAnObject, Problem::NotANumber, Problem::NotAList];
        let of_type = types.into_iter().flat_map(|problem| JsonType::ALL.map(problem));
        for problem in problems.into_iter().chain(of_type) {
            let error = ValueError::from(problem).below("a \"key\"");
            assert_eq!(ValueError::custom(&error), error);
        }
        let other = ValueError::custom("another error");
        assert_eq!(other.into_parts(), (String::new(), Problem::Unserializable("another error".to_owned())));
    }
}
