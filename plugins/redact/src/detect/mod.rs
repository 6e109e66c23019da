//! Finds sensitive text inside a value, whatever its key.
//!
//! Each detector is a pure function from a text to the byte ranges that it names. They are written by hand, so that a
//! text without any sign of one (no `@`, no long run of digits, …) costs one look at its bytes.

mod address;
mod number;
mod signs;
mod token;
mod url;

use std::ops::Range;

use serde::Deserialize;

pub(crate) use number::SHORTEST_CARD;
use signs::Sign;
pub(crate) use signs::Signs;

/// A kind of text that is searched in every string, and in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Detector {
    /// A card number: 13 to 19 digits in the groups that cards print, of a known issuer, with a right check digit
    /// (ISO/IEC 7812).
    CreditCard,
    /// An IBAN with the length of its country and right check digits (ISO 13616).
    Iban,
    /// A JSON Web Token (RFC 7519).
    Jwt,
    /// A key of a known service, and the text behind `Bearer` or `Basic`.
    ApiKey,
    /// A private key in PEM.
    PrivateKey,
    /// In a URL: user and password before the host, values of secret query keys, and the path behind `/reset/`,
    /// `/verify/` and the like.
    UrlSecret,
    /// An e-mail address.
    Email,
    /// A phone number in the form of E.164, with its plus sign.
    Phone,
    /// An IPv4 or IPv6 address that is the whole value, or stands between spaces.
    IpAddress,
    /// A MAC address.
    MacAddress,
    /// A social security number of the United States, with its dashes.
    Ssn,
}

impl Detector {
    /// All of them.
    pub const ALL: &'static [Detector] = &[
        Detector::CreditCard,
        Detector::Iban,
        Detector::Jwt,
        Detector::ApiKey,
        Detector::PrivateKey,
        Detector::UrlSecret,
        Detector::Email,
        Detector::Phone,
        Detector::IpAddress,
        Detector::MacAddress,
        Detector::Ssn,
    ];

    /// The name, as settings have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Detector::CreditCard => "credit_card",
            Detector::Iban => "iban",
            Detector::Jwt => "jwt",
            Detector::ApiKey => "api_key",
            Detector::PrivateKey => "private_key",
            Detector::UrlSecret => "url_secret",
            Detector::Email => "email",
            Detector::Phone => "phone",
            Detector::IpAddress => "ip_address",
            Detector::MacAddress => "mac_address",
            Detector::Ssn => "ssn",
        }
    }

    /// Returns whether it also looks at whole numbers that are no strings.
    pub(crate) fn reads_numbers(self) -> bool {
        self == Detector::CreditCard
    }

    /// The byte ranges of `text` that it names, from left to right, none inside of another.
    pub(crate) fn find(self, text: &str, signs: Signs) -> Vec<Range<usize>> {
        if !self.may_find(signs) {
            return Vec::new();
        }
        match self {
            Detector::CreditCard => number::cards(text),
            Detector::Iban => number::ibans(text),
            Detector::Jwt => token::jwts(text),
            Detector::ApiKey => token::api_keys(text),
            Detector::PrivateKey => token::private_keys(text),
            Detector::UrlSecret => url::secrets(text),
            Detector::Email => address::emails(text),
            Detector::Phone => number::phones(text),
            Detector::IpAddress => address::ips(text),
            Detector::MacAddress => address::macs(text),
            Detector::Ssn => number::ssns(text),
        }
    }

    /// Returns whether a text with these signs may have what it names. A find begins with that.
    pub(crate) fn may_find(self, signs: Signs) -> bool {
        let has = |sign: Sign, least: u64| signs.count(sign) >= least;
        match self {
            Detector::CreditCard => has(Sign::Digit, 13),
            Detector::Iban => has(Sign::Digit, 4) && has(Sign::Capital, 2) && signs.len >= 15,
            Detector::Jwt => has(Sign::Dot, 2) && signs.len >= 20,
            // One begins with a word before a sign of these, or with two capitals.
            Detector::ApiKey => {
                let gap = has(Sign::Gap, 1) || has(Sign::Dash, 1) || has(Sign::Dot, 1);
                signs.len >= 12 && (gap || has(Sign::Capital, 2))
            }
            Detector::PrivateKey => has(Sign::Dash, 5),
            Detector::UrlSecret => has(Sign::Slash, 1) || has(Sign::Query, 1),
            Detector::Email => has(Sign::At, 1) && has(Sign::Dot, 1),
            Detector::Phone => has(Sign::Plus, 1) && has(Sign::Digit, 8),
            Detector::IpAddress => has(Sign::Dot, 3) || has(Sign::Colon, 2),
            Detector::MacAddress => signs.len >= 17 && (has(Sign::Colon, 5) || has(Sign::Dash, 5)),
            Detector::Ssn => has(Sign::Dash, 2) && has(Sign::Digit, 9),
        }
    }
}

/// Returns whether a letter or digit stands right before `at`, or at it: then a find there is a part of something
/// longer.
fn in_word(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

fn after_word(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|rest| rest.chars().next_back())
        .is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

/// The ranges of the longest runs of bytes that `is` accepts.
fn runs(text: &str, is: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes().get(at..)?;
        let start = at + bytes.iter().position(|byte| is(*byte))?;
        let len = text.as_bytes().get(start..)?.iter().position(|byte| !is(*byte));
        at = len.map_or(text.len(), |len| start + len);
        Some(start..at)
    })
}

#[cfg(test)]
mod tests;
