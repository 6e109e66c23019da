//! Numbers as JSON text: which of them an event can carry, and of which type they are.
//!
//! Invariant: a whole number is exact, and has at most 64 bits. A decimal is a double, whatever its number of digits. A
//! number that is neither is refused, not rounded.

use super::error::{JsonType, Problem};
use super::string::read_string;

/// Digits that every double keeps.
const SURE_DIGITS: usize = 15;
/// The largest number of digits of an exact double.
const MOST_DIGITS: usize = 767;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

/// Reads `text` as a number.
pub(super) fn read(text: &str) -> Result<Number, Problem> {
    let parts = Parts::split(text).ok_or_else(|| Problem::Unserializable("it is not JSON".to_owned()))?;
    // "-0" is a decimal: no whole number has that sign.
    if parts.is_whole && text != "-0" {
        let positive = text.parse().map(Number::Positive);
        return positive.or_else(|_| text.parse().map(Number::Negative)).map_err(|_| Problem::Inexact);
    }
    let float: f64 = text.parse().map_err(|_| Problem::Inexact)?;
    if parts.spell(float) { Ok(Number::Float(float)) } else { Err(Problem::Inexact) }
}

/// Returns whether `text` is a number that is exact and spelled as this crate spells it, which few digits decide: a whole
/// number of at most 18, or a decimal of at most 15 that is 0.1 or more and ends in no zero. False says nothing.
pub(super) fn is_short(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (first, rest) = (digits.first(), digits.get(whole..).unwrap_or_default());
    // A whole number begins with a zero only if it is one, and has no sign then.
    let Some((b'.', fraction)) = rest.split_first() else {
        return rest.is_empty() && (1..=18).contains(&whole) && (first != Some(&b'0') || text == b"0");
    };
    let is_whole_fine = whole > 0 && (first != Some(&b'0') || (whole == 1 && fraction.first() != Some(&b'0')));
    is_whole_fine
        && whole + fraction.len() <= SURE_DIGITS
        && fraction.iter().all(u8::is_ascii_digit)
        && fraction.last().is_some_and(|last| *last != b'0')
}

/// Makes a number of the JSON string at `start`, which is the end of `json`.
pub(super) fn unquote(json: &mut Vec<u8>, start: usize) -> Result<(), Problem> {
    let text = json.get(start..).and_then(read_string).ok_or(Problem::NotANumber(JsonType::String))?;
    let number = match read(&text) {
        Ok(Number::Positive(number)) => serde_json::to_vec(&number),
        Ok(Number::Negative(number)) => serde_json::to_vec(&number),
        Ok(Number::Float(number)) => serde_json::to_vec(&number),
        Err(Problem::Inexact) => return Err(Problem::Inexact),
        Err(_) => return Err(Problem::NotANumber(JsonType::String)),
    };
    json.truncate(start);
    json.extend(number.unwrap_or_default());
    Ok(())
}

/// The digits of a number by the grammar of JSON.
struct Parts<'t> {
    whole: &'t str,
    fraction: &'t str,
    is_whole: bool,
}

impl<'t> Parts<'t> {
    fn split(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let exponent_digits = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let good = is_number(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(is_number)
            && exponent_digits.is_none_or(is_number);
        good.then_some(Self {
            whole,
            fraction: fraction.unwrap_or_default(),
            is_whole: fraction.is_none() && exponent.is_none(),
        })
    }

    /// Returns whether these are the first digits of `float`, as many as there are. Then the other digits lose nothing.
    fn spell(&self, float: f64) -> bool {
        if !float.is_finite() {
            return false;
        }
        let digits = [self.whole, self.fraction].concat();
        let digits = digits.trim_start_matches('0').trim_end_matches('0');
        if digits.len() <= SURE_DIGITS && float.abs() >= f64::MIN_POSITIVE {
            return true;
        }
        if digits.is_empty() || digits.len() > MOST_DIGITS {
            return digits.is_empty();
        }
        let is = |spelled: String| {
            let (mantissa, _) = spelled.split_once('e').unwrap_or((&spelled, ""));
            mantissa.bytes().filter(u8::is_ascii_digit).eq(digits.bytes())
        };
        // Next to a power of two, the shortest digits that are read as the double may not be its first digits.
        is(format!("{:.*e}", digits.len() - 1, float.abs())) || is(format!("{:e}", float.abs()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Number, is_short, read};

    #[test]
    fn a_short_number_is_known_by_its_digits() {
        for text in ["0", "7", "-7", "120", "999999999999999999", "27.5", "-0.1", "0.123", "10.01", "12345678901234.5"]
        {
            assert!(is_short(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "1.",
            ".5",
            "1.0",
            "1.50",
            "0.0",
            "0.05",
            "00.5",
            "1e3",
            "1.5e3",
            "+1",
            "1-1",
            "1.2.3",
            "--1",
            "1000000000000000000",
            "123456789012345.6",
        ] {
            assert!(!is_short(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_power_of_two_is_read_from_its_shortest_spelling() {
        for exponent in -1_022..=1_023 {
            let float = 2_f64.powi(exponent);
            assert_eq!(read(&serde_json::to_string(&float).unwrap()), Ok(Number::Float(float)), "2^{exponent}");
        }
    }

    proptest! {
        #[test]
        fn a_double_is_read_from_every_spelling(float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO, more in 0_usize..30) {
            let shortest = serde_json::to_string(&float).unwrap();
            prop_assert_eq!(read(&shortest), Ok(Number::Float(float)));
            // As C's `%.17g` writes it, and with still more digits.
            let long = format!("{float:.*e}", 16 + more);
            prop_assert_eq!(read(&long), Ok(Number::Float(float)), "{}", long);
        }

        #[test]
        fn a_short_number_is_spelled_as_it_is_read(text in "-?[0-9]{1,20}(\\.[0-9]{1,16})?([eE][0-9])?") {
            if is_short(text.as_bytes()) {
                let spelled = match read(&text).unwrap() {
                    Number::Positive(number) => number.to_string(),
                    Number::Negative(number) => number.to_string(),
                    Number::Float(number) => serde_json::to_string(&number).unwrap(),
                };
                prop_assert_eq!(spelled, text);
            }
        }

        #[test]
        fn a_whole_number_is_exact_or_refused(number in any::<i128>()) {
            let short = number >> 64;
            let fits = u64::try_from(number).is_ok() || i64::try_from(number).is_ok();
            prop_assert_eq!(read(&number.to_string()).is_ok(), fits);
            match read(&short.to_string()) {
                Ok(Number::Positive(read)) => prop_assert_eq!(i128::from(read), short),
                Ok(Number::Negative(read)) => prop_assert_eq!(i128::from(read), short),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
