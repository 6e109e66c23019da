//! A point in time, in the one form that goes on the wire.
//!
//! Invariant: it is in the years 0 to 9999, the range of RFC 3339. Parts finer than a millisecond are rounded down.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil;
use jiff::fmt::temporal::DateTimeParser;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The beginning of the year 0, in milliseconds since the Unix epoch.
const FIRST: i64 = -62_167_219_200_000;
/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Characters of the text that an error shows.
const SHOWN_CHARS: usize = 64;

/// A point in time in milliseconds, written as RFC 3339 in UTC: `2011-05-03T14:05:00.123Z`.
///
/// It is made from a [`SystemTime`], from a string in RFC 3339 with any offset, and, with the features `chrono`, `time`
/// and `jiff`, from the types of these crates. Parts finer than a millisecond are rounded down. Serde reads and writes
/// it as text.
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
    /// Since the Unix epoch, in the years 0 to 9999.
    milliseconds: i64,
}

/// The error of a timestamp that is not RFC 3339, or not in the years 0 to 9999.
#[derive(Clone, Debug, thiserror::Error)]
#[error("timestamp {text:?} is not RFC 3339 in the years 0 to 9999, such as \"2011-05-03T14:05:00.123Z\"")]
pub struct InvalidTimestamp {
    text: String,
    source: jiff::Error,
}

impl InvalidTimestamp {
    fn new(text: &str, source: jiff::Error) -> Self {
        Self { text: text.chars().take(SHOWN_CHARS).collect(), source }
    }

    /// Returns the first 64 characters of the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The same text is refused for the same reason, which cannot be compared.
impl PartialEq for InvalidTimestamp {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for InvalidTimestamp {}

/// Lets setters take a type that always converts like one that may fail.
impl From<Infallible> for InvalidTimestamp {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Timestamp {
    pub(crate) const LEN: usize = "2011-05-03T14:05:00.123Z".len();

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_unix_millis(self) -> i64 {
        self.milliseconds
    }

    /// Makes the timestamp `milliseconds` after the Unix epoch, clamped to the range of RFC 3339, the years 0 to 9999.
    #[must_use]
    pub fn from_unix_millis(milliseconds: i64) -> Self {
        Self { milliseconds: milliseconds.clamp(FIRST, LAST) }
    }

    /// Makes the timestamp `nanoseconds` after the Unix epoch, rounded and clamped.
    #[cfg(any(feature = "jiff", feature = "time"))]
    fn from_unix_nanos(nanoseconds: i128) -> Self {
        let milliseconds = nanoseconds.div_euclid(1_000_000).clamp(FIRST.into(), LAST.into());
        Self::from_unix_millis(i64::try_from(milliseconds).unwrap_or(LAST))
    }

    /// Appends the text to `out`.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text());
    }

    fn text(self) -> [u8; Self::LEN] {
        let (year, month, day) = date_of(self.milliseconds.div_euclid(DAY));
        let in_day = self.milliseconds.rem_euclid(DAY);
        let [y1, y2, y3, y4] = digits_of(year);
        let ([m1, m2], [d1, d2]) = (digits_of(month), digits_of(day));
        let ([h1, h2], [i1, i2]) = (digits_of(in_day / 3_600_000), digits_of(in_day / 60_000 % 60));
        let ([s1, s2], [f1, f2, f3]) = (digits_of(in_day / 1_000 % 60), digits_of(in_day % 1_000));
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'.', f1, f2, f3, b'Z']
    }
}

/// Returns the last `N` digits of a number that is not negative. It runs twice for each event, so the divisor is a
/// constant, and no digit needs a check.
fn digits_of<const N: usize>(number: i64) -> [u8; N] {
    let (mut number, mut digits) = (number as u32, [b'0'; N]);
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// Returns the year, month and day of a day since the Unix epoch, by the algorithm of Howard Hinnant. Its years begin
/// in March, so that a leap day is the last day, and its calendar repeats every 400 years.
fn date_of(day: i64) -> (i64, i64, i64) {
    let since_year_0 = day + 719_468;
    let (era, day_of_era) = (since_year_0.div_euclid(146_097), since_year_0.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (400 * era + year_of_era + i64::from(month <= 2), month, day)
}

/// Clamped to the years 0 to 9999.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        // Every call asks for this, so it avoids a division of 128 bits.
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX - 1);
        Self::from_unix_millis(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => {
                let rest = before.duration().subsec_nanos() % 1_000_000;
                -millis(before.duration()) - i64::from(rest > 0)
            }
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
        if let Some(timestamp) = read_own_form(text) {
            return Ok(timestamp);
        }
        read(text).map_err(|source| InvalidTimestamp::new(text, source))
    }
}

/// Reads the form that [`Timestamp::write`] writes. That is what destinations read of each event. Returns `None` for any
/// other text, right or wrong.
fn read_own_form(text: &str) -> Option<Timestamp> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] =
        text.as_bytes()
    else {
        return None;
    };
    let date = (digits([y1, y2, y3, y4])?, digits([m1, m2])?, digits([d1, d2])?);
    let (hour, minute, second) = (digits([h1, h2])?, digits([i1, i2])?, digits([s1, s2])?);
    let day = day_of(date);
    if date_of(day) != date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(Timestamp::from_unix_millis(day * DAY + seconds * 1_000 + digits([f1, f2, f3])?))
}

fn digits<const N: usize>(digits: [u8; N]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i64::from(digit))
    })
}

/// The inverse of [`date_of`]. What is no date becomes any day.
fn day_of((year, month, day): (i64, i64, i64)) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Reads it by its parts: a point in time of jiff ends two days before the year 9999 does.
fn read(text: &str) -> Result<Timestamp, jiff::Error> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    let problem = |problem: &str| jiff::Error::from_args(format_args!("{problem}"));
    let pieces = PARSER.parse_pieces(text)?;
    let time = pieces.time().ok_or_else(|| problem("it has no time"))?;
    let offset = pieces.to_numeric_offset().ok_or_else(|| problem("it has no offset from UTC, such as Z"))?;
    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    let since_epoch = pieces.date().to_datetime(time).duration_since(epoch).as_nanos();
    let milliseconds = (since_epoch - i128::from(offset.seconds()) * 1_000_000_000).div_euclid(1_000_000);
    if !(i128::from(FIRST)..=i128::from(LAST)).contains(&milliseconds) {
        return Err(problem("it is not in the years 0 to 9999 in UTC"));
    }
    i64::try_from(milliseconds).map(Timestamp::from_unix_millis).map_err(|_| problem("it is out of range"))
}

impl TryFrom<&str> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: &str) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl TryFrom<&String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: &String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "chrono")]
impl<Z: chrono::TimeZone> From<chrono::DateTime<Z>> for Timestamp {
    fn from(time: chrono::DateTime<Z>) -> Self {
        // Rounded down there, too.
        Self::from_unix_millis(time.timestamp_millis())
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "time")]
impl From<time::OffsetDateTime> for Timestamp {
    fn from(time: time::OffsetDateTime) -> Self {
        Self::from_unix_nanos(time.unix_timestamp_nanos())
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "time")]
impl From<time::UtcDateTime> for Timestamp {
    fn from(time: time::UtcDateTime) -> Self {
        Self::from_unix_nanos(time.unix_timestamp_nanos())
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "jiff")]
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_unix_nanos(time.as_nanosecond())
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "jiff")]
impl From<jiff::Zoned> for Timestamp {
    fn from(time: jiff::Zoned) -> Self {
        time.timestamp().into()
    }
}

/// Clamped to the years 0 to 9999.
#[cfg(feature = "jiff")]
impl From<&jiff::Zoned> for Timestamp {
    fn from(time: &jiff::Zoned) -> Self {
        time.timestamp().into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Serializes as text in RFC 3339.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Deserializes from text in RFC 3339.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_timestamp_survives_its_text(milliseconds in FIRST..=LAST) {
            let timestamp = Timestamp::from_unix_millis(milliseconds);
            prop_assert_eq!(read_own_form(&timestamp.to_string()), Some(timestamp));
            prop_assert_eq!(timestamp.to_string().parse::<Timestamp>().unwrap(), timestamp);
            if let Ok(theirs) = jiff::Timestamp::from_millisecond(milliseconds) {
                prop_assert_eq!(timestamp.to_string(), format!("{theirs:.3}"));
            }
        }

        #[test]
        fn a_text_in_our_own_form_is_read_as_any_other(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
        ) {
            if let Some(timestamp) = read_own_form(&text) {
                prop_assert_eq!(read(&text).ok(), Some(timestamp));
            } else if let Ok(timestamp) = read(&text) {
                prop_assert!(text.contains(":60."), "{text} is {timestamp}, and was left to the slow way");
            }
        }

        #[test]
        fn every_text_that_jiff_takes_is_taken(
            text in "20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?(Z|[+-][01][0-9](:?[0-5][0-9])?)",
        ) {
            let theirs = text.parse::<jiff::Timestamp>().ok();
            let theirs = theirs.map(|theirs| theirs.as_nanosecond().div_euclid(1_000_000) as i64);
            prop_assert_eq!(text.parse::<Timestamp>().ok().map(Timestamp::as_unix_millis), theirs);
        }
    }

    #[test]
    fn what_is_not_rfc_3339_is_named_in_the_error() {
        let error = "yesterday".parse::<Timestamp>().unwrap_err();
        assert!(error.to_string().contains("\"yesterday\""), "{error}");
    }
}
