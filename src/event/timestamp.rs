//! When something happened, in the one form that goes on the wire.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::fmt::StdIoWrite;
use jiff::fmt::temporal::DateTimePrinter;

/// A point in time in milliseconds, written as RFC 3339 in UTC: `2011-05-03T14:05:00.123Z`.
///
/// From a [`SystemTime`], or from a string in RFC 3339 with any offset:
///
/// ```
/// use tracklane::event::Timestamp;
///
/// let timestamp: Timestamp = "2011-05-03T16:05:00.1239+02:00".parse()?;
/// assert_eq!(timestamp.to_string(), "2011-05-03T14:05:00.123Z");
/// # Ok::<(), tracklane::event::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Since the Unix epoch; from the year 0 to two days before the end of 9999.
    milliseconds: i64,
}

/// The error of a timestamp that is not RFC 3339.
#[derive(Clone, Debug, thiserror::Error)]
#[error("timestamp {text:?} is not RFC 3339, as in \"2011-05-03T14:05:00.123Z\"")]
pub struct InvalidTimestamp {
    text: String,
    source: jiff::Error,
}

/// The same text is refused for the same reason, which cannot be compared.
impl PartialEq for InvalidTimestamp {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for InvalidTimestamp {}

impl Timestamp {
    pub(crate) const LEN: usize = "2011-05-03T14:05:00.123Z".len();

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_unix_millis(self) -> i64 {
        self.milliseconds
    }

    /// The timestamp that is `milliseconds` after the Unix epoch; clamped to what can be read and written in every time
    /// zone, from the year 0 to the 30th of December 9999, 22:00 UTC.
    #[must_use]
    pub fn from_unix_millis(milliseconds: i64) -> Self {
        Self { milliseconds: milliseconds.clamp(-62_167_219_200_000, 253_402_207_200_000) }
    }

    /// Appends the text to `out`.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let timestamp = jiff::Timestamp::from_millisecond(self.milliseconds).unwrap_or_default();
        // A `Vec` takes every byte, and the year is in range: there is no error to report.
        let _ = PRINTER.print_timestamp(&timestamp, StdIoWrite(out));
    }
}

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        })
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let distance = Duration::from_millis(timestamp.milliseconds.unsigned_abs());
        if timestamp.milliseconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        match text.parse::<jiff::Timestamp>() {
            Ok(parsed) => Ok(Self::from_unix_millis(parsed.as_nanosecond().div_euclid(1_000_000) as i64)),
            Err(source) => Err(InvalidTimestamp { text: text.chars().take(64).collect(), source }),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(Self::LEN);
        self.write(&mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_timestamp_survives_its_text(milliseconds in -62_167_219_200_000_i64..253_402_207_200_000) {
            let timestamp = Timestamp::from_unix_millis(milliseconds);
            prop_assert_eq!(timestamp.to_string().parse::<Timestamp>().unwrap(), timestamp);
        }
    }

    #[test]
    fn what_is_not_rfc_3339_is_named_in_the_error() {
        let error = "yesterday".parse::<Timestamp>().unwrap_err();
        assert!(error.to_string().contains("\"yesterday\""), "{error}");
    }
}
