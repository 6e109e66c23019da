//! Durations and sizes with their units.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserializer;
use serde::de::{Error, Visitor};

const DURATIONS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 24 * 3_600_000)];

/// Reads `"10s"`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let expected = "a time with its unit (ms, s, m, h, d), such as \"10s\"";
    deserializer.deserialize_str(Quantity { read: milliseconds, expected }).map(Duration::from_millis)
}

/// Reads `"512MiB"`, as the settings of tracklane do: a KB is 1,000 bytes and a KiB 1,024.
pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let expected = "a size with its unit (B, KB, KiB, MB, MiB, GB, GiB), such as \"512MiB\"";
    deserializer.deserialize_str(Quantity { read: size, expected })
}

fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = DURATIONS.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn size(text: &str) -> Option<u64> {
    if !text.ends_with(char::is_alphabetic) {
        return None;
    }
    // One that is too large becomes the largest one there.
    text.parse::<ByteSize>().ok().map(|size| size.as_u64()).filter(|bytes| *bytes < u64::MAX)
}

struct Quantity {
    read: fn(&str) -> Option<u64>,
    expected: &'static str,
}

impl Visitor<'_> for Quantity {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        (self.read)(text).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.expected)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        for (text, millis) in [("0s", 0), ("250ms", 250), ("10s", 10_000), ("7d", 604_800_000), ("2 m", 120_000)] {
            assert_eq!(milliseconds(text), Some(millis), "{text}");
        }
        for wrong in ["", "10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999999s", "99999999999999999d"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
        for (text, bytes) in
            [("512MiB", 512 << 20), ("4 KiB", 4096), ("500KB", 500_000), ("10GB", 10_000_000_000), ("7B", 7)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for wrong in ["", "10", "MB", "-1MB", "10 parsecs", "99999999999999999999GB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
