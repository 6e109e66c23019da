//! Secrets in URLs. They leak most often, because pages and referrers are tracked automatically.

use std::ops::Range;

use super::token::merged;
use crate::key::Plain;

/// Query keys whose value opens something.
const QUERY_KEYS: &[&str] = &[
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
];
/// Path segments that a secret follows.
const SEGMENTS: &[&str] = &[
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
];
/// Letters that a path segment has at least if it is a secret, and not a word of the page's.
const LEAST_SECRET: usize = 8;

pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    if may_have_url(text) { in_words(text) } else { Vec::new() }
}

/// Looks at each word that may be a URL.
pub(super) fn in_words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let url = word.trim_end();
        if url.contains("://") || url.starts_with('/') || url.starts_with('?') {
            in_url(url, start, &mut found);
        }
        start += word.len();
    }
    merged(found)
}

/// Returns whether a word of the text may be a URL, by a look at each byte.
fn may_have_url(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Some characters of several bytes are white space.
    let begins_word = |before: Option<&u8>| before.is_none_or(|before| !before.is_ascii_graphic());
    let begins_url = |(at, byte): (usize, &u8)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        match byte {
            b'?' => begins_word(before),
            b'/' => begins_word(before) || (before == Some(&b':') && bytes.get(at + 1) == Some(&b'/')),
            _ => false,
        }
    };
    bytes.iter().enumerate().any(begins_url)
}

fn in_url(url: &str, offset: usize, found: &mut Vec<Range<usize>>) {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(scheme..).unwrap_or_default();
    let authority = if scheme > 0 { rest.find(['/', '?', '#']).unwrap_or(rest.len()) } else { 0 };
    if let Some(at) = rest.get(..authority).and_then(|authority| authority.rfind('@')).filter(|at| *at > 0) {
        found.push(offset + scheme..offset + scheme + at);
    }
    let path = scheme + authority;
    let query = url.get(path..).and_then(|rest| rest.find(['?', '#'])).map_or(url.len(), |at| path + at);
    segments(url, path..query, offset, found);
    pairs(url, query, offset, found);
}

/// Finds the path behind `/reset/` and the like.
fn segments(url: &str, path: Range<usize>, offset: usize, found: &mut Vec<Range<usize>>) {
    let mut secret_follows = false;
    let mut at = path.start;
    for segment in url.get(path).unwrap_or_default().split_inclusive('/') {
        let name = segment.trim_end_matches('/');
        let secret = name.len() >= LEAST_SECRET && name.bytes().any(|byte| byte.is_ascii_digit());
        if secret_follows && secret {
            found.push(offset + at..offset + at + name.len());
        }
        // Segments that are empty, such as that before the first slash, are passed over.
        if !name.is_empty() {
            secret_follows = is_listed(name, SEGMENTS);
        }
        at += segment.len();
    }
}

/// The values of secret keys, in the query and in the fragment, where single sign-on puts them.
fn pairs(url: &str, query: usize, offset: usize, found: &mut Vec<Range<usize>>) {
    let mut at = query;
    for pair in url.get(query..).unwrap_or_default().split_inclusive(['?', '&', '#', ';']) {
        let bare = pair.trim_end_matches(['?', '&', '#', ';']);
        if let Some((key, value)) = bare.split_once('=')
            && !value.is_empty()
            && is_listed(key, QUERY_KEYS)
        {
            let start = at + key.len() + 1;
            found.push(offset + start..offset + start + value.len());
        }
        at += pair.len();
    }
}

fn is_listed(name: &str, list: &[&str]) -> bool {
    Plain::new(name).is_some_and(|plain| list.iter().any(|listed| listed.as_bytes() == plain.as_bytes()))
}
