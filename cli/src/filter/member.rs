//! A member of an event that a filter asks for, and what its value is compared with.

use std::borrow::Cow;
use std::cmp::Ordering;

use memchr::memmem::Finder;
use serde_json::Value;
use tracklane::segment::rules::Member;

use super::{Op, Pattern};

/// Names, or numbers in arrays, from the event down to a member.
#[derive(Clone, Debug)]
pub(super) struct MemberPath {
    pub(super) names: Vec<String>,
    /// The last name in its quotes, which the text of an event with the member has, unless it spells characters as `\u0061`.
    /// A number in an array is no name.
    key: Option<Finder<'static>>,
}

impl MemberPath {
    pub(super) fn new(path: &str) -> Self {
        let names: Vec<String> = path.split('.').map(str::to_owned).collect();
        let last = names.iter().rev().find(|name| name.parse::<usize>().is_err());
        // These are always or sometimes escaped.
        let last =
            last.filter(|name| !name.contains(|char: char| matches!(char, '"' | '\\' | '/') || char.is_control()));
        let key = last.map(|name| Finder::new(&format!("\"{name}\"")).into_owned());
        Self { names, key }
    }

    /// Returns whether an event with this text, which spells no characters by their numbers, can have the member.
    pub(super) fn may_be_in(&self, raw: &[u8]) -> bool {
        self.key.as_ref().is_none_or(|key| key.find(raw).is_some())
    }

    /// Returns whether its last name stands in such a text only where `is_inside` says.
    pub(super) fn is_only(&self, raw: &[u8], is_inside: impl Fn(usize) -> bool) -> bool {
        self.key.as_ref().is_some_and(|key| key.find_iter(raw).all(is_inside))
    }
}

/// What the value of a member has to be.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    op: Op,
    value: String,
    /// The number that the value is.
    number: Option<f64>,
    pattern: Pattern,
}

impl Comparison {
    pub(super) fn new(op: Op, value: &str, pattern: Pattern) -> Self {
        Self { op, value: value.to_owned(), number: value.trim().parse().ok(), pattern }
    }

    /// Returns whether an event with this text can have such a value. A text that cannot be part of a number is written
    /// in JSON as it is.
    pub(super) fn may_hold_in(&self, raw: &[u8]) -> bool {
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, ' ' | '-' | '_');
        let is_text = |char: char| char.is_ascii_alphabetic() && !matches!(char, 'e' | 'E');
        match (self.op, self.pattern.longest()) {
            (Op::Like | Op::Equal, Some(text)) if text.chars().all(is_plain) && text.contains(is_text) => {
                self.pattern.may_be_in(raw)
            }
            _ => true,
        }
    }

    /// Returns whether the JSON value is as it has to be.
    pub(super) fn holds(&self, found: &str) -> bool {
        if self.op == Op::Like {
            return self.pattern.matches(&text(found));
        }
        let order = match (number(found), self.number) {
            (Some(found), Some(wanted)) => found.partial_cmp(&wanted),
            // A number is neither more nor less than a text.
            (Some(_), None) | (None, Some(_)) if self.op != Op::Equal => None,
            _ => Some((*text(found)).cmp(self.value.as_str())),
        };
        match self.op {
            Op::Like | Op::Equal => order == Some(Ordering::Equal),
            Op::Greater => order == Some(Ordering::Greater),
            Op::Less => order == Some(Ordering::Less),
            Op::AtLeast => order.is_some_and(Ordering::is_ge),
            Op::AtMost => order.is_some_and(Ordering::is_le),
        }
    }
}

/// The number that a JSON value is.
fn number(json: &str) -> Option<f64> {
    json.starts_with(|first: char| first.is_ascii_digit() || first == '-').then(|| json.parse().ok())?
}

/// The text of a JSON value: what a string says, or any other value as it is usually written.
fn text(json: &str) -> Cow<'_, str> {
    let is_digits = |digits: &str| (1..19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match json.as_bytes().first() {
        Some(b'"') => Member::new(Some(json)).text().unwrap_or_default(),
        Some(b't' | b'f' | b'n') => Cow::Borrowed(json),
        _ if is_digits(json) => Cow::Borrowed(json),
        _ => Cow::Owned(serde_json::from_str::<Value>(json).unwrap_or_default().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_has_may_be_looked_for_in_its_text() {
        let may = |op: Op, value: &str, raw: &str| {
            Comparison::new(op, value, Pattern::new(value)).may_hold_in(raw.as_bytes())
        };
        for (op, value) in [
            (Op::Like, "summer"),
            (Op::Like, "*MER"),
            (Op::Equal, "SUMMER"),
            (Op::Equal, "nan"),
            (Op::Like, "1e5"),
            (Op::Equal, "100"),
            (Op::Like, "Grüße"),
            (Op::Like, "gr*"),
            (Op::Greater, "WINTER"),
            (Op::Like, "*"),
        ] {
            assert!(may(op, value, r#"{"a":"SUMMER","b":"\u0047r\u00fc\u00dfe","c":"NaN"}"#), "{op:?} {value}");
        }
        for (op, value) in [(Op::Like, "WINTER"), (Op::Equal, "SUMMERS"), (Op::Like, "*MERS*")] {
            assert!(!may(op, value, r#"{"a":"SUMMER","b":"\u0047r\u00fc\u00dfe"}"#), "{op:?} {value}");
        }
    }

    #[test]
    fn values_are_compared_as_numbers_or_as_texts() {
        for (found, op, value) in [
            ("39.95", Op::Equal, "39.95"),
            ("39.950", Op::Equal, "39.95"),
            ("1e2", Op::Like, "100.0"),
            ("-7", Op::Less, "-6.5"),
            ("18446744073709551615", Op::Greater, "18446744073709551614.0e-1"),
            ("0", Op::AtLeast, "-0"),
            ("\"10\"", Op::Equal, "10"),
            ("\"b\"", Op::Greater, "a"),
            (r#""Gr\u00fc\u00dfe""#, Op::Equal, "Grüße"),
            ("true", Op::Like, "t*e"),
            ("null", Op::Equal, "null"),
            (r#"[1, "x"]"#, Op::Like, "*\"x\"]"),
            (r#"{"a" : 1}"#, Op::Equal, "{\"a\":1}"),
            ("\"\"", Op::AtMost, ""),
        ] {
            assert!(Comparison::new(op, value, Pattern::new(value)).holds(found), "{found} {op:?} {value}");
        }
        for (found, op, value) in [
            ("39.95", Op::Greater, "39.95"),
            ("\"10\"", Op::Greater, "9"),
            ("10", Op::Greater, "x"),
            ("10", Op::Equal, "x"),
            ("true", Op::Less, "5"),
            ("1.50", Op::Like, "1.50"),
        ] {
            assert!(!Comparison::new(op, value, Pattern::new(value)).holds(found), "{found} {op:?} {value}");
        }
    }
}
