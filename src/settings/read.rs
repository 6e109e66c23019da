//! Reads the value of one setting, from a file or from the environment.
//!
//! Numbers and booleans may also be written as text (`"7"`, `"yes"`), so files and environment variables behave the
//! same. `build` checks later whether a value can be used.

use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::{Span, SpanRelativeTo};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::event::Context;
use crate::plugin::Overflow;
use crate::segment::Region;

type Read<T> = Result<Option<T>, &'static str>;

/// Reads text. A number is refused, because its leading zeros or digits may be lost already.
pub(super) fn text(value: &Value) -> Read<String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err("must be text: write it in quotes"),
    }
}

/// Reads a value that is not text, or the text of one.
fn scalar<T>(value: &Value, expected: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(expected),
    };
    parse(text.trim()).map(Some).ok_or(expected)
}

pub(super) fn number<T: FromStr>(value: &Value) -> Read<T> {
    scalar(value, "must be a whole number, not negative and of a usual size", |text| text.parse().ok())
}

/// Reads a duration: units in the friendly format of `jiff`, or a number of milliseconds.
pub(super) fn duration(value: &Value) -> Read<Duration> {
    let expected = "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds";
    scalar(value, expected, |text| match text.parse() {
        Ok(milliseconds) => Some(Duration::from_millis(milliseconds)),
        Err(_) => {
            let span = text.parse::<Span>().ok()?;
            Duration::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()
        }
    })
}

/// Reads a size: units in the format of `bytesize`, in which a KB is 1,000 bytes and a KiB 1,024, or a number of bytes.
pub(super) fn size(value: &Value) -> Read<usize> {
    let expected = "must be a size like \"10 MiB\" or \"500 KB\", or a number of bytes";
    scalar(value, expected, |text| match text.parse::<u64>() {
        Ok(bytes) => bytes.try_into().ok(),
        // One that is too large becomes the largest one there.
        Err(_) if text.ends_with(char::is_alphabetic) => {
            text.parse::<ByteSize>().ok()?.as_u64().try_into().ok().filter(|bytes| *bytes < usize::MAX)
        }
        Err(_) => None,
    })
}

pub(super) fn switch(value: &Value) -> Read<bool> {
    scalar(value, "must be true or false", |text| match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    })
}

/// Reads one of the names that serde has for the type.
fn named<T: DeserializeOwned>(value: &Value, expected: &'static str) -> Read<T> {
    scalar(value, expected, |text| serde_json::from_value(text.to_ascii_lowercase().into()).ok())
}

pub(super) fn region(value: &Value) -> Read<Region> {
    named(value, "must be oregon or dublin")
}

pub(super) fn overflow(value: &Value) -> Read<Overflow> {
    named(value, "must be refuse_new or drop_oldest")
}

/// Reads an object, or the text of one.
pub(super) fn object(value: &Value) -> Read<Context> {
    let object = match value {
        Value::Null => return Ok(None),
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => serde_json::from_str::<serde_json::Map<String, Value>>(text).ok(),
        _ => None,
    };
    object.map(|object| Some(object.into())).ok_or("must be a JSON object")
}
