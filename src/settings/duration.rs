//! Durations as people write them.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads `"10s"`, `"1h 30m"` or a number of milliseconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    if let Ok(milliseconds) = text.parse() {
        return Ok(Duration::from_millis(milliseconds));
    }
    let parsed: SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is not a duration like \"10s\" or \"500ms\""))?;
    Duration::try_from(parsed).map_err(|_| format!("{text:?} is negative"))
}

pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(AsWritten)
}

struct AsWritten;

impl Visitor<'_> for AsWritten {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like \"10s\", or a number of milliseconds")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, milliseconds: u64) -> Result<Self::Value, E> {
        Ok(Some(Duration::from_millis(milliseconds)))
    }

    fn visit_i64<E: Error>(self, milliseconds: i64) -> Result<Self::Value, E> {
        match u64::try_from(milliseconds) {
            Ok(milliseconds) => self.visit_u64(milliseconds),
            Err(_) => Err(E::custom(format!("the duration {milliseconds} is negative"))),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        parse(text).map(Some).map_err(E::custom)
    }
}
