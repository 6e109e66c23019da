//! Secrets in URLs. They leak most often, because pages and referrers are tracked automatically.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2_iter;
use percent_encoding::percent_decode_str;

use super::token::merged;
use crate::key::{List, SECRET_ENDS};

/// Names in a query whose value opens something. More are known by their [end](SECRET_ENDS), as in all events.
static NAMES: List = List::of(&[
    "code",
    "key",
    "auth",
    "authorization",
    "signature",
    "sig",
    "hmac",
    "session",
    "sessionid",
    "sid",
    "otp",
    "email",
    "ticket",
    "samlresponse",
    "xamzsignature",
    "xamzcredential",
    "xgoogsignature",
    "passwordconfirmation",
    "cardnumber",
    "creditcard",
    "cvv",
    "cvc",
    "iban",
    "ssn",
]);
/// Path segments that a secret follows.
static SEGMENTS: List = List::of(&[
    "reset",
    "resetpassword",
    "passwordreset",
    "verify",
    "verifyemail",
    "verification",
    "confirm",
    "confirmation",
    "invite",
    "invitation",
    "activate",
    "activation",
    "magic",
    "magiclink",
    "unsubscribe",
]);
/// Letters that a path segment has at least if it is a secret, and not a word of the page's.
const LEAST_SECRET: usize = 8;

/// How often a value of a query may be percent-encoded for a URL in it to be found.
const MOST_ENCODED: usize = 3;

pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    if may_have_url(text) || is_form(text) { in_words(text) } else { Vec::new() }
}

/// Looks at each word that may be a URL.
pub(super) fn in_words(text: &str) -> Vec<Range<usize>> {
    let mut search = Search { found: Vec::new(), encoded: 0 };
    search.text(text);
    merged(search.found)
}

/// Returns whether there is surely no white space, as in nearly all URLs.
fn is_one_word(text: &str) -> bool {
    // All of it at once: nearly every text is one word.
    text.bytes().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic())
}

/// Returns whether a text is nothing but a form, such as `name=Ann&password=x`: it begins with a name.
fn is_form(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'%');
    let name = position(text, 0, |byte| !is_name(byte));
    name > 0 && text.as_bytes().get(name) == Some(&b'=') && !text.contains(char::is_whitespace)
}

/// Returns the length of what comes before the host: `https://`.
fn scheme_len(word: &str) -> Option<usize> {
    word.as_bytes().windows(3).position(|bytes| bytes == b"://").map(|colon| colon + "://".len())
}

/// Returns the first place from `start` on of one of these bytes, which are ASCII, or the end.
fn position(url: &str, start: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = url.as_bytes().get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| is(*byte)).unwrap_or(rest.len())
}

/// Returns whether a word of the text may be a URL, by a look at each slash and question mark.
fn may_have_url(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Some characters of several bytes are white space.
    let begins_word = |before: Option<&u8>| before.is_none_or(|before| !before.is_ascii_graphic());
    let begins_url = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let is_scheme = bytes.get(at) == Some(&b'/') && before == Some(&b':') && bytes.get(at + 1) == Some(&b'/');
        is_scheme || begins_word(before)
    };
    memchr2_iter(b'/', b'?', bytes).any(begins_url)
}

/// A search for secrets in the URLs of a text.
struct Search {
    found: Vec<Range<usize>>,
    /// How often the text was percent-encoded.
    encoded: usize,
}

impl Search {
    fn text(&mut self, text: &str) {
        if is_form(text) {
            return self.pairs(text, 0, 0);
        }
        if is_one_word(text) {
            return self.word(text, 0);
        }
        let mut start = 0;
        for word in text.split_inclusive(char::is_whitespace) {
            self.word(word.trim_end(), start);
            start += word.len();
        }
    }

    fn word(&mut self, word: &str, start: usize) {
        let scheme = scheme_len(word);
        if scheme.is_some() || word.starts_with(['/', '?']) {
            self.url(word, scheme.unwrap_or(0), start);
        }
    }

    fn url(&mut self, url: &str, scheme: usize, offset: usize) {
        let path = if scheme > 0 { position(url, scheme, |byte| matches!(byte, b'/' | b'?' | b'#')) } else { 0 };
        let authority = url.as_bytes().get(scheme..path).unwrap_or_default();
        if let Some(at) = authority.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0) {
            self.found.push(offset + scheme..offset + scheme + at);
        }
        let query = position(url, path, |byte| matches!(byte, b'?' | b'#'));
        self.segments(url, path..query, offset);
        self.pairs(url, query, offset);
    }

    /// Finds the path behind `/reset/` and the like.
    fn segments(&mut self, url: &str, path: Range<usize>, offset: usize) {
        let mut secret_follows = false;
        let mut at = path.start;
        let path = url.get(path).unwrap_or_default();
        if !path.bytes().any(|byte| byte.is_ascii_digit()) {
            // No secret is without one.
            return;
        }
        for segment in path.split_inclusive('/') {
            let name = segment.trim_end_matches('/');
            let secret = name.len() >= LEAST_SECRET && name.bytes().any(|byte| byte.is_ascii_digit());
            if secret_follows && secret {
                self.found.push(offset + at..offset + at + name.len());
            }
            // Segments that are empty, such as that before the first slash, are passed over.
            if !name.is_empty() {
                secret_follows = SEGMENTS.has(name);
            }
            at += segment.len();
        }
    }

    /// The values of secret names, in the query and in the fragment, where single sign-on puts them.
    fn pairs(&mut self, url: &str, query: usize, offset: usize) {
        let mut at = query;
        while at < url.len() {
            let end = position(url, at, |byte| matches!(byte, b'?' | b'&' | b'#' | b';'));
            let pair = url.get(at..end).unwrap_or_default();
            if let Some((name, value)) = pair.split_at_checked(position(pair, 0, |byte| byte == b'='))
                && let Some(value) = value.strip_prefix('=').filter(|value| !value.is_empty())
                && (is_secret(name) || self.has_secret(value))
            {
                self.found.push(offset + end - value.len()..offset + end);
            }
            at = end + 1;
        }
    }

    /// Returns whether a value is a percent-encoded URL, or a form, with a secret.
    fn has_secret(&self, value: &str) -> bool {
        if self.encoded == MOST_ENCODED || !value.contains('%') {
            return false;
        }
        let value = decoded(value);
        let mut search = Search { found: Vec::new(), encoded: self.encoded + 1 };
        search.text(&value);
        !search.found.is_empty() || search.has_secret(&value)
    }
}

/// Returns whether the value of this name in a query is a secret.
fn is_secret(name: &str) -> bool {
    if name.contains('%') {
        return is_secret_name(&decoded(name));
    }
    is_secret_name(name)
}

fn is_secret_name(name: &str) -> bool {
    NAMES.has(name) || SECRET_ENDS.has(name)
}

/// Decodes percent-encoded bytes.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_and_segment_is_found_in_each_spelling() {
        for (list, keys) in [(&NAMES, NAMES.keys()), (&SEGMENTS, SEGMENTS.keys())] {
            for key in keys {
                assert!(
                    list.has(key) && list.has(&key.to_uppercase()) && list.has(&format!("{}_{}", &key[..1], &key[1..]))
                );
                assert!(!list.has(&format!("{key}x9")) && !list.has(&format!("9{key}")), "{key}");
            }
        }
        for end in SECRET_ENDS.ends() {
            assert!(is_secret(end) && is_secret(&format!("user[{end}]")) && !is_secret(&format!("{end}ize")), "{end}");
        }
        assert!(!is_secret("") && !is_secret("utm_source") && !is_secret("total_tokens") && !SEGMENTS.has("games"));
    }

    #[test]
    fn percent_encoded_bytes_are_decoded_and_others_stay() {
        for (text, expected) in [
            ("", ""),
            ("abc", "abc"),
            ("a%3Db%3d%26", "a=b=&"),
            ("h%C3%BCnter+2", "h\u{fc}nter+2"),
            ("100%", "100%"),
            ("%4%zz%%41", "%4%zz%A"),
            ("%+1%\u{fc}", "%+1%\u{fc}"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }

    #[test]
    fn a_url_is_found_however_often_it_is_encoded_up_to_a_limit() {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let mut value = "https://x.example/?token=abc".to_owned();
        for times in 1..=MOST_ENCODED + 1 {
            value = encoded(&value);
            assert_eq!(secrets(&format!("/x?next={value}")).len(), usize::from(times <= MOST_ENCODED), "{times} times");
        }
    }
}
