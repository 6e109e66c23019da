//! Durations and sizes with their units.

use std::fmt;
use std::time::Duration;

use serde::Deserializer;
use serde::de::{Error, Visitor};

const DURATIONS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 24 * 3_600_000)];
const SIZES: &[(&str, u64)] = &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];

/// `"10s"`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let expected = "a time with its unit (ms, s, m, h, d), such as \"10s\"";
    deserializer.deserialize_str(Quantity { units: DURATIONS, expected }).map(Duration::from_millis)
}

/// Reads `"512MB"`, in which a KB is 1,024 bytes.
pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let expected = "a size with its unit (B, KB, MB, GB, TB), such as \"512MB\"";
    deserializer.deserialize_str(Quantity { units: SIZES, expected })
}

struct Quantity {
    units: &'static [(&'static str, u64)],
    expected: &'static str,
}

impl Quantity {
    fn of(&self, text: &str) -> Option<u64> {
        let digits = text.find(|char: char| !char.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, factor) = self.units.iter().find(|(name, _)| *name == unit.trim())?;
        number.parse::<u64>().ok()?.checked_mul(*factor)
    }
}

impl Visitor<'_> for Quantity {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        self.of(text).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.expected)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let (time, size) = (|text| quantity(DURATIONS, text), |text| quantity(SIZES, text));
        for (text, millis) in [("0s", 0), ("250ms", 250), ("10s", 10_000), ("7d", 604_800_000), ("2 m", 120_000)] {
            assert_eq!(time(text), Some(millis), "{text}");
        }
        assert_eq!(size("512MB"), Some(512 << 20));
        for wrong in ["", "10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999999s", "99999999999999999d"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    fn quantity(units: &'static [(&'static str, u64)], text: &str) -> Option<u64> {
        Quantity { units, expected: "" }.of(text)
    }
}
