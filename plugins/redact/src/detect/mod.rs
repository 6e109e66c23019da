//! Finds sensitive text inside a value, whatever its key, but for the few keys that rule it out.
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
pub(crate) use signs::{Needs, Signs};

use crate::key::{Ends, List};

/// Keys of the numbers of articles. One in ten of those with 13 digits that begin with 4 passes for a card number.
static ARTICLES: List = List::of(&[
    "gtin", "gtin8", "gtin12", "gtin13", "gtin14", "ean", "ean8", "ean13", "ean14", "upc", "upc12", "upca", "upce",
    "isbn", "isbn10", "isbn13", "barcode", "barcodes",
]);

/// Ends of the keys of versions, which may have the form of IPv4 addresses.
static VERSIONS: Ends = Ends::of(&["version", "versions", "build"], &["conversion", "conversions"]);

/// A kind of text that is searched in every string, and in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Detector {
    /// A card number: 13 to 19 digits in the groups that cards print, of a known issuer, with a right check digit
    /// (ISO/IEC 7812). Not in members that number articles, such as `gtin` and `isbn`.
    CreditCard,
    /// An IBAN with the length of its country and right check digits (ISO 13616).
    Iban,
    /// A JSON Web Token (RFC 7519).
    Jwt,
    /// A key of a known service, which begins as its keys do, and the credential behind `Bearer`, `Basic` or `Token`: at
    /// least 12 letters with a digit. `Bearer` and a credential that are the whole text may be 8 letters with a digit, or
    /// 16 letters. That of `Basic` may have any length if it is the base64 of a user, a colon and a password.
    ApiKey,
    /// A private key in PEM.
    PrivateKey,
    /// In a URL: user and password before the host, the values of secret names in query and fragment, and the path behind
    /// `/reset/`, `/verify/` and the like (8 letters at least, with a digit). A word of a text is a URL if it has `://`, or
    /// begins with a slash or a question mark. A text that is nothing but a form, such as `password=x&a=b`, is read like a
    /// query.
    ///
    /// A name is secret if it ends as [those of members](crate#names) do, or is one such as `code`, `key`, `session` or
    /// `email`. Names may be percent-encoded. A value that is a percent-encoded URL with a secret goes whole, encoded up to
    /// three times.
    UrlSecret,
    /// An e-mail address.
    Email,
    /// A phone number in the form of E.164, with its plus sign.
    Phone,
    /// An IPv4 or IPv6 address between signs or spaces, also in a URL. Not the version of a product (`Chrome/125.0.0.0`):
    /// an IPv4 address behind a slash and a name that is no part of a path. Not in members whose name ends with `version`,
    /// `versions` or `build`.
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

    /// Returns whether a key says that its value is something else, which only looks like what the detector names.
    pub(crate) fn is_ruled_out_by(self, key: &str) -> bool {
        match self {
            Detector::CreditCard => ARTICLES.has(key),
            Detector::IpAddress => VERSIONS.has(key),
            _ => false,
        }
    }

    /// The byte ranges of `text` that it names, from left to right, none inside of another.
    pub(crate) fn find(self, text: &str) -> Vec<Range<usize>> {
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

    /// Returns the signs of a text that may have what it names: those of any of these.
    pub(crate) fn needs(self) -> &'static [Needs] {
        use Sign::{At, Capital, Colon, Dash, Digit, Dot, Gap, Plus, Query, Slash};
        match self {
            Detector::CreditCard => const { &[Needs::of(SHORTEST_CARD, &[(Digit, SHORTEST_CARD as u64)])] },
            Detector::Iban => const { &[Needs::of(number::SHORTEST_IBAN, &[(Digit, 4), (Capital, 2)])] },
            Detector::Jwt => const { &[Needs::of(20, &[(Dot, 2)])] },
            // One begins with a word before a sign of these, or with two capitals.
            Detector::ApiKey => {
                const {
                    &[
                        Needs::of(token::SHORTEST_CREDENTIAL, &[(Gap, 1)]),
                        Needs::of(12, &[(Dash, 1)]),
                        Needs::of(12, &[(Dot, 1)]),
                        Needs::of(12, &[(Capital, 2)]),
                    ]
                }
            }
            Detector::PrivateKey => const { &[Needs::of(11, &[(Dash, 5)])] },
            Detector::UrlSecret => const { &[Needs::of(5, &[(Slash, 1)]), Needs::of(5, &[(Query, 1)])] },
            Detector::Email => const { &[Needs::of(6, &[(At, 1), (Dot, 1)])] },
            Detector::Phone => const { &[Needs::of(9, &[(Plus, 1), (Digit, 8)])] },
            Detector::IpAddress => {
                const { &[Needs::of(7, &[(Dot, 3)]), Needs::of(address::SHORTEST_IP, &[(Colon, 2)])] }
            }
            Detector::MacAddress => {
                const { &[Needs::of(address::MAC_LEN, &[(Colon, 5)]), Needs::of(address::MAC_LEN, &[(Dash, 5)])] }
            }
            Detector::Ssn => const { &[Needs::of(number::SSN_LEN, &[(Dash, 2), (Digit, 9)])] },
        }
    }
}

/// A set of detectors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Detectors(u16);

impl Detectors {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, detector: Detector) -> bool {
        self.0 & 1 << detector as u16 != 0
    }
}

impl FromIterator<Detector> for Detectors {
    fn from_iter<I: IntoIterator<Item = Detector>>(detectors: I) -> Self {
        Self(detectors.into_iter().fold(0, |set, detector| set | 1 << detector as u16))
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

/// The ranges of the longest runs of bytes that `is` accepts, of those with at least `least` bytes. It accepts ASCII only.
///
/// Where it does not accept the last of `least` bytes, no such run begins in them. So it looks at few of the bytes.
fn runs(text: &str, least: usize, is: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    // No run that is left begins before it.
    let mut start = 0;
    std::iter::from_fn(move || {
        while let Some(other) = bytes.get(start..start + least)?.iter().rposition(|byte| !is(*byte)) {
            start += other + 1;
        }
        let rest = bytes.get(start + least..)?;
        let run = start..start + least + rest.iter().position(|byte| !is(*byte)).unwrap_or(rest.len());
        start = run.end;
        Some(run)
    })
}

#[cfg(test)]
mod tests;
