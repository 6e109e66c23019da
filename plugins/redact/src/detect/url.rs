//! Secrets in URLs. They leak most often, because pages and referrers are tracked automatically.

use std::ops::Range;

use memchr::memchr2_iter;

use super::token::merged;
use crate::key::List;

/// Query keys whose value opens something.
static QUERY_KEYS: List = List::of(&[
    "token",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "sessiontoken",
    "resettoken",
    "code",
    "password",
    "passwd",
    "pwd",
    "secret",
    "clientsecret",
    "apikey",
    "key",
    "auth",
    "authorization",
    "signature",
    "sig",
    "hmac",
    "session",
    "sessionid",
    "sid",
    "jwt",
    "otp",
    "email",
    "ticket",
    "samlresponse",
    "xamzsignature",
    "xamzcredential",
    "xamzsecuritytoken",
    "xgoogsignature",
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

pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    if may_have_url(text) { in_words(text) } else { Vec::new() }
}

/// Looks at each word that may be a URL.
pub(super) fn in_words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    if is_one_word(text) {
        in_word_at(text, 0, &mut found);
        return merged(found);
    }
    for word in text.split_inclusive(char::is_whitespace) {
        in_word_at(word.trim_end(), start, &mut found);
        start += word.len();
    }
    merged(found)
}

/// Returns whether there is surely no white space, as in nearly all URLs.
fn is_one_word(text: &str) -> bool {
    // All of it at once: nearly every text is one word.
    text.bytes().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic())
}

fn in_word_at(word: &str, start: usize, found: &mut Vec<Range<usize>>) {
    let scheme = scheme_len(word);
    if scheme.is_some() || word.starts_with(['/', '?']) {
        in_url(word, scheme.unwrap_or(0), start, found);
    }
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

fn in_url(url: &str, scheme: usize, offset: usize, found: &mut Vec<Range<usize>>) {
    let path = if scheme > 0 { position(url, scheme, |byte| matches!(byte, b'/' | b'?' | b'#')) } else { 0 };
    let authority = url.as_bytes().get(scheme..path).unwrap_or_default();
    if let Some(at) = authority.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0) {
        found.push(offset + scheme..offset + scheme + at);
    }
    let query = position(url, path, |byte| matches!(byte, b'?' | b'#'));
    segments(url, path..query, offset, found);
    pairs(url, query, offset, found);
}

/// Finds the path behind `/reset/` and the like.
fn segments(url: &str, path: Range<usize>, offset: usize, found: &mut Vec<Range<usize>>) {
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
            found.push(offset + at..offset + at + name.len());
        }
        // Segments that are empty, such as that before the first slash, are passed over.
        if !name.is_empty() {
            secret_follows = SEGMENTS.has(name);
        }
        at += segment.len();
    }
}

/// The values of secret keys, in the query and in the fragment, where single sign-on puts them.
fn pairs(url: &str, query: usize, offset: usize, found: &mut Vec<Range<usize>>) {
    let mut at = query;
    while at < url.len() {
        let end = position(url, at, |byte| matches!(byte, b'?' | b'&' | b'#' | b';'));
        let pair = url.get(at..end).unwrap_or_default();
        if let Some((key, value)) = pair.split_at_checked(position(pair, 0, |byte| byte == b'='))
            && let Some(value) = value.strip_prefix('=').filter(|value| !value.is_empty())
            && QUERY_KEYS.has(key)
        {
            found.push(offset + end - value.len()..offset + end);
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_and_segment_is_found_in_each_spelling() {
        for (list, keys) in [(&QUERY_KEYS, QUERY_KEYS.keys()), (&SEGMENTS, SEGMENTS.keys())] {
            for key in keys {
                assert!(
                    list.has(key) && list.has(&key.to_uppercase()) && list.has(&format!("{}_{}", &key[..1], &key[1..]))
                );
                assert!(!list.has(&format!("{key}x9")) && !list.has(&format!("9{key}")), "{key}");
            }
        }
        assert!(!QUERY_KEYS.has("") && !QUERY_KEYS.has("utm_source") && !SEGMENTS.has("games"));
    }
}
