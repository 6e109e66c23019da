//! The action on a value.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// The default text in place of a value for [`Action::Replace`].
pub(crate) const REDACTED: &str = "[redacted]";
/// Hexadecimal digits that a hash is cut to.
const HASH_DIGITS: usize = 32;

/// The action on a value that a rule finds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// Takes the member out of its object; an item of an array becomes null.
    Drop,
    /// Writes a fixed text in its place. [`Action::replace`] writes `[redacted]`.
    Replace(String),
    /// Writes `*` for every letter and digit but the last `keep_last`.
    Mask {
        /// Letters and digits at the end that stay.
        #[serde(default)]
        keep_last: usize,
    },
    /// Writes HMAC-SHA256 of the text, keyed with [`hash_key`](crate::Redact::hash_key), as 32 hexadecimal digits: the
    /// same for the same text, and not to be looked up without the key.
    Hash,
    /// Cuts an IPv4 address to its first 24 bits, and an IPv6 address to its first 48.
    TruncateIp,
    /// Cuts a date to its year: `1984-05-21` becomes `1984`.
    Generalise,
}

/// The key of [`Action::Hash`]. Hides itself.
#[derive(Clone, Default)]
pub(crate) struct HashKey(pub(crate) Vec<u8>);

impl Action {
    /// Replaces with `[redacted]`.
    #[must_use]
    pub fn replace() -> Self {
        Action::Replace(REDACTED.to_owned())
    }

    /// Masks all but the last `letters`.
    #[must_use]
    pub fn mask(letters: usize) -> Self {
        Action::Mask { keep_last: letters }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Action::Drop => "drop",
            Action::Replace(_) => "replace",
            Action::Mask { .. } => "mask",
            Action::Hash => "hash",
            Action::TruncateIp => "truncate_ip",
            Action::Generalise => "generalise",
        }
    }

    /// The text that stands for `text` from now on. None if the member goes.
    pub(crate) fn apply<'a>(&'a self, text: &str, key: &HashKey) -> Option<Cow<'a, str>> {
        Some(match self {
            Action::Drop => return None,
            Action::Replace(with) => Cow::Borrowed(with),
            Action::Mask { keep_last } => mask(text, *keep_last).into(),
            Action::Hash => key.hash(text).into(),
            Action::TruncateIp => truncate_ip(text).map_or(Cow::Borrowed(REDACTED), Cow::Owned),
            Action::Generalise => year(text).map_or(Cow::Borrowed(REDACTED), |year| Cow::Owned(year.to_owned())),
        })
    }
}

impl HashKey {
    fn hash(&self, text: &str) -> String {
        // A key of any length is one for HMAC: this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return REDACTED.to_owned() };
        mac.update(text.as_bytes());
        let mut digits =
            mac.finalize().into_bytes().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        digits.truncate(HASH_DIGITS);
        digits
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

fn mask(text: &str, keep_last: usize) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric()).count();
    // A text of which everything would stay is masked whole.
    let hidden = if keep_last >= letters { letters } else { letters - keep_last };
    let mut seen = 0;
    text.chars()
        .map(|letter| {
            seen += usize::from(letter.is_alphanumeric());
            if letter.is_alphanumeric() && seen <= hidden { '*' } else { letter }
        })
        .collect()
}

fn truncate_ip(text: &str) -> Option<String> {
    let address = match text.trim().parse().ok()? {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    };
    Some(match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).to_string(),
    })
}

/// The year of a date that begins with it, or ends with it.
fn year(text: &str) -> Option<&str> {
    let is_year = |part: &&str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    parts.clone().next().filter(is_year).or_else(|| parts.find(is_year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_writes_what_it_says() {
        let key = HashKey(b"0123456789abcdef".to_vec());
        let rows: &[(Action, &str, Option<&str>)] = &[
            (Action::Drop, "x", None),
            (Action::replace(), "x", Some("[redacted]")),
            (Action::mask(4), "4111 1111 1111 1111", Some("**** **** **** 1111")),
            (Action::mask(4), "abc", Some("***")),
            (Action::mask(0), "a-b", Some("*-*")),
            (Action::TruncateIp, "203.0.113.7", Some("203.0.113.0")),
            (Action::TruncateIp, "2001:db8:1:2::7", Some("2001:db8:1::")),
            (Action::TruncateIp, "::ffff:203.0.113.7", Some("203.0.113.0")),
            (Action::TruncateIp, "here", Some("[redacted]")),
            (Action::Generalise, "1984-05-21", Some("1984")),
            (Action::Generalise, "21.05.1984", Some("1984")),
            (Action::Generalise, "May", Some("[redacted]")),
        ];
        for (action, text, expected) in rows {
            assert_eq!(action.apply(text, &key).as_deref(), *expected, "{action:?} of {text}");
        }
    }

    #[test]
    fn a_hash_is_keyed_and_stable() {
        let [a, b] = [b"0123456789abcdef", b"fedcba9876543210"].map(|key| HashKey(key.to_vec()));
        assert_eq!(a.hash("u1").len(), 32);
        assert_eq!(a.hash("u1"), a.hash("u1"));
        assert_ne!(a.hash("u1"), a.hash("u2"));
        assert_ne!(a.hash("u1"), b.hash("u1"), "another key makes another hash");
        assert!(!format!("{a:?}").contains('4'), "the key hides itself");
    }
}
