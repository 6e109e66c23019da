//! Finds events that arrive, but are probably not what was meant.

use std::sync::LazyLock;
use std::time::SystemTime;

use tracklane::Kind;
use tracklane::event::Timestamp;
use tracklane::segment::rules::Fields;

use super::{Finding, Leaf, Level, Path, walk};

/// Clocks differ; a timestamp may be this many milliseconds ahead.
const CLOCK_SKEW: i64 = 60 * 60 * 1000;
/// Digits in a row that make a name look made of a value.
const ID_DIGITS: usize = 4;

/// Members that the Segment Spec has numbers for.
const NUMBERS: &[&str] = &[
    "age",
    "amount",
    "cost",
    "discount",
    "duration",
    "employees",
    "height",
    "latitude",
    "longitude",
    "price",
    "quantity",
    "revenue",
    "shipping",
    "subtotal",
    "tax",
    "total",
    "value",
    "width",
];
/// Members that analytics should never see, without `_`, `-` and capitals.
const SECRETS: &[&str] = &[
    "accesstoken",
    "apikey",
    "cardnumber",
    "creditcard",
    "creditcardnumber",
    "cvc",
    "cvv",
    "iban",
    "passwd",
    "password",
    "pin",
    "privatekey",
    "pwd",
    "refreshtoken",
    "secret",
    "socialsecuritynumber",
    "ssn",
];

/// A smell that one event shows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Smell {
    /// A number that is sent as text.
    NumberAsText,
    /// A member with the name of a secret.
    Secret,
    /// A timestamp that is yet to come.
    TimestampInFuture,
    /// A name that looks made of a value.
    NameWithValue,
}

impl Smell {
    /// All of them.
    pub const ALL: [Smell; 4] = [Smell::NumberAsText, Smell::Secret, Smell::TimestampInFuture, Smell::NameWithValue];

    /// The name that does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Smell::NumberAsText => "number-as-text",
            Smell::Secret => "secret",
            Smell::TimestampInFuture => "timestamp-in-future",
            Smell::NameWithValue => "name-with-value",
        }
    }

    const fn fix(self) -> &'static str {
        match self {
            Smell::NumberAsText => "Send a JSON number, without quotes.",
            Smell::Secret => "Leave it out, or remove it in a before plugin.",
            Smell::TimestampInFuture => "Check the clock, and that the time is in milliseconds or RFC 3339.",
            Smell::NameWithValue => "Keep the name fixed, and put what varies into a property.",
        }
    }

    fn found(self, property: String, message: String) -> Finding {
        Finding { rule: self.name(), level: Level::Smell, property: Some(property.into()), message, fix: self.fix() }
    }
}

/// Adds the smells of one event.
pub fn smells(fields: &Fields<'_>, kind: Option<Kind>, found: &mut Vec<Finding>) {
    for (name, section) in [("properties", fields.properties), ("traits", fields.traits), ("context", fields.context)] {
        if let Some(json) = section.raw().filter(|_| section.is_object()) {
            walk(name, json, |path, leaf| leaf_smells(path, leaf, found));
        }
    }
    name_smells(fields, kind, found);
    time_smells(fields, found);
}

fn leaf_smells(path: &Path<'_>, leaf: Leaf<'_>, found: &mut Vec<Finding>) {
    let Leaf::Text(text) = leaf else { return };
    let name = path.name();
    if may_be_number(text) && NUMBERS.contains(&name) && text.trim().parse::<f64>().is_ok() {
        let message = format!("{path} is a number as text");
        found.push(Smell::NumberAsText.found(path.to_string(), message));
    }
    if !text.is_empty() && is_secret(name) {
        found.push(Smell::Secret.found(path.to_string(), format!("{path} has the name of a secret")));
    }
}

/// Most texts begin with a byte that no number does.
fn may_be_number(text: &str) -> bool {
    let begins =
        |first: &u8| first.is_ascii_digit() || b"+-.iInN ".contains(first) || *first < b' ' || !first.is_ascii();
    text.as_bytes().first().is_some_and(begins)
}

/// This is asked for each text, so most names are told by their first and last byte.
fn is_secret(name: &str) -> bool {
    let (Some(first), Some(last)) = (name.bytes().next(), name.bytes().next_back()) else { return false };
    if !is_one_of(FIRST_LETTERS, first) || !is_one_of(LAST_LETTERS, last) {
        return false;
    }
    let letters = name.bytes().filter(|byte| !is_separator(*byte)).map(|byte| byte.to_ascii_lowercase());
    SECRETS.iter().any(|secret| letters.clone().eq(secret.bytes()))
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b' ')
}

/// Returns whether the byte is one of these letters, large or small; or a separator, which does not count.
const fn is_one_of(letters: u32, byte: u8) -> bool {
    byte.is_ascii_alphabetic() && letters & letter(byte) != 0 || is_separator(byte)
}

const FIRST_LETTERS: u32 = letters().0;
const LAST_LETTERS: u32 = letters().1;

/// The first and the last letters of the secrets, a bit for each.
const fn letters() -> (u32, u32) {
    let (mut firsts, mut lasts, mut left) = (0, 0, SECRETS);
    while let [secret, rest @ ..] = left {
        if let [first, .., last] = secret.as_bytes() {
            firsts |= letter(*first);
            lasts |= letter(*last);
        }
        left = rest;
    }
    (firsts, lasts)
}

/// The bit of a letter.
const fn letter(byte: u8) -> u32 {
    1 << (byte.to_ascii_lowercase() - b'a')
}

fn name_smells(fields: &Fields<'_>, kind: Option<Kind>, found: &mut Vec<Finding>) {
    if kind != Some(Kind::Track) {
        return;
    }
    let Some(name) = fields.event.text() else { return };
    let mut digits = 0;
    for byte in name.bytes() {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        if digits == ID_DIGITS {
            let message = "the event's name has a number in it, so that there is one name for each value".to_owned();
            found.push(Smell::NameWithValue.found("event".to_owned(), message));
            return;
        }
    }
}

fn time_smells(fields: &Fields<'_>, found: &mut Vec<Finding>) {
    let Some(timestamp) = fields.timestamp.text().and_then(|text| text.parse::<Timestamp>().ok()) else { return };
    // What was in no future at the first event is in none now, and the clock need not be read.
    static FIRST: LazyLock<Timestamp> = LazyLock::new(|| SystemTime::now().into());
    if timestamp <= *FIRST {
        return;
    }
    let now = Timestamp::from(SystemTime::now());
    if timestamp.as_unix_millis() > now.as_unix_millis() + CLOCK_SKEW {
        let message = format!("the timestamp {timestamp} is in the future");
        found.push(Smell::TimestampInFuture.found("timestamp".to_owned(), message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_however_they_are_written() {
        for secret in SECRETS {
            let shout = secret.to_uppercase();
            let spaced: String = secret.chars().flat_map(|char| [char, '_']).collect();
            for name in [secret, &*shout, &*spaced, &*format!("-{secret}"), &*format!(" {spaced} ")] {
                assert!(is_secret(name), "{name:?}");
            }
        }
        for name in ["", "_", "pass", "passwords", "pinned", "currency", "coupon", "sécret", "secrét", "7", "ß"] {
            assert!(!is_secret(name), "{name:?}");
        }
    }

    #[test]
    fn numbers_as_text_are_known_however_they_are_written() {
        for text in ["7", " 7", "\t-7.5 ", "+1e9", ".5", "inf", "NaN", "\u{a0}7"] {
            let mut found = Vec::new();
            let json = serde_json::json!({ "total": text }).to_string();
            walk("properties", &json, |path, leaf| leaf_smells(path, leaf, &mut found));
            assert_eq!(found.len(), 1, "{text:?}");
        }
        for text in ["", "seven", "7 EUR", "1,5", "-"] {
            let mut found = Vec::new();
            let json = serde_json::json!({ "total": text }).to_string();
            walk("properties", &json, |path, leaf| leaf_smells(path, leaf, &mut found));
            assert_eq!(found, [], "{text:?}");
        }
    }
}
