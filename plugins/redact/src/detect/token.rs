//! Tokens and keys that open something.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memchr_iter;

use super::{after_word, in_word, runs};

/// The prefixes of keys of well-known services, and the least number of letters that follow.
const PREFIXES: &[(&str, usize)] = &[
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 16),
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("SG.", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("dop_v1_", 30),
    ("shpat_", 20),
    ("phx_", 20),
    ("sq0csp-", 20),
];
/// The words in front of a credential in a header.
const SCHEMES: &[&str] = &[BEARER, BASIC, "token "];
const BEARER: &str = "bearer ";
const BASIC: &str = "basic ";
/// Bytes of `Basic YTo`, without the padding.
pub(super) const SHORTEST_CREDENTIAL: usize = 9;
/// Bytes of two pieces of eight at least, each with its dot.
const SHORTEST_JWT: usize = 18;
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=')
}

pub(super) fn jwts(text: &str) -> Vec<Range<usize>> {
    // Few texts have a capital J.
    let mut ends = memchr_iter(b'J', text.as_bytes());
    if !ends.any(|end| text.as_bytes().get(..=end).is_some_and(|begin| begin.ends_with(b"eyJ"))) {
        return Vec::new();
    }
    runs(text, SHORTEST_JWT, |byte| is_base64url(byte) || byte == b'.').filter_map(|run| jwt(text, run)).collect()
}

/// A JWT's header is a JSON object, so it begins with `{"`, which is `eyJ` in base64.
fn jwt(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(run.clone())?;
    let start = run.start + part.find("eyJ")?;
    let token = text.get(start..run.end)?.trim_end_matches('.');
    let mut pieces = token.split('.');
    let long = pieces.by_ref().take(2).filter(|piece| piece.len() >= 8).count() == 2;
    (long && token.matches('.').count() >= 2).then(|| start..start + token.len())
}

/// Bytes of the longest word at the begin of a prefix or scheme.
const LONGEST_WORD: usize = 6;

/// Pairs of bytes, of which each prefix and scheme has one: the last letter of its first word with the byte behind it, or
/// its first two letters if it is nothing but one word.
struct Pairs {
    /// By byte: the kinds of second bytes that may follow it.
    firsts: [u8; 256],
    /// By byte: its kind.
    seconds: [u8; 256],
}

static PAIRS: Pairs = {
    let mut pairs = Pairs { firsts: [0; 256], seconds: [0; 256] };
    let mut rest: &[(&str, usize)] = PREFIXES;
    while let [(prefix, _), behind @ ..] = rest {
        pairs.insert(prefix.as_bytes());
        rest = behind;
    }
    let mut rest: &[&str] = SCHEMES;
    while let [scheme, behind @ ..] = rest {
        pairs.insert(scheme.as_bytes());
        rest = behind;
    }
    pairs
};

impl Pairs {
    #[allow(clippy::indexing_slicing, reason = "the compiler computes it, and stops at an index that is too large")]
    const fn insert(&mut self, text: &[u8]) {
        let mut end = 1;
        while end < text.len() && text[end].is_ascii_alphanumeric() {
            end += 1;
        }
        if end == text.len() {
            end = 1;
        }
        let kind = match text[end] {
            b'_' => 1,
            b'-' => 2,
            b'.' => 4,
            b' ' => 8,
            _ => 16,
        };
        self.seconds[text[end] as usize] |= kind;
        self.firsts[text[end - 1] as usize] |= kind;
        if text[end] == b' ' {
            // The case of a scheme does not matter.
            self.firsts[text[end - 1].to_ascii_uppercase() as usize] |= kind;
        }
    }

    /// Returns whether there is any pair. Without a stop in between, this takes less than to find the first.
    fn are_in(&self, bytes: &[u8]) -> bool {
        let (mut found, mut expected) = (0, 0);
        let mut next = |byte: &u8| {
            found |= kinds(&self.seconds, *byte) & expected;
            expected = kinds(&self.firsts, *byte);
        };
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| word.iter().for_each(&mut next));
        rest.iter().for_each(next);
        found != 0
    }

    /// Returns the places of the second bytes of pairs.
    fn seconds_in(&self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        let bytes = if self.are_in(bytes) { bytes } else { &[] };
        let is_pair = |(first, second): (&u8, &u8)| kinds(&self.firsts, *first) & kinds(&self.seconds, *second) != 0;
        let mut at = 0;
        std::iter::from_fn(move || {
            at += 1 + bytes.get(at..)?.iter().zip(bytes.get(at + 1..)?).position(is_pair)?;
            Some(at)
        })
    }
}

fn kinds(table: &[u8; 256], byte: u8) -> u8 {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Returns whether a prefix or a scheme begins with this word, which ends at the byte `end`.
fn begins_one(word: &[u8], end: u8) -> bool {
    match end {
        b'_' => matches!(
            word,
            b"sk"
                | b"rk"
                | b"whsec"
                | b"ghp"
                | b"gho"
                | b"ghu"
                | b"ghs"
                | b"ghr"
                | b"github"
                | b"npm"
                | b"dop"
                | b"shpat"
                | b"phx"
        ),
        b'-' => {
            matches!(word, b"sk" | b"glpat" | b"xoxb" | b"xoxp" | b"xoxa" | b"xoxr" | b"xoxs" | b"pypi" | b"sq0csp")
        }
        b'.' => matches!(word, b"ya29" | b"SG"),
        _ => [&b"bearer"[..], b"basic", b"token"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme)),
    }
}

/// Looks once at each byte, and for a key only around a pair that each has.
pub(super) fn api_keys(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let begin = |second: usize| match bytes.get(second)? {
        end @ (b'_' | b'-' | b'.' | b' ') => {
            let before = bytes.get(second.saturating_sub(LONGEST_WORD)..second)?;
            let len = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let word = before.get(before.len() - len..)?;
            begins_one(word, *end).then_some(second - len)
        }
        _ => second.checked_sub(1),
    };
    merged(PAIRS.seconds_in(bytes).filter_map(begin).filter_map(|start| api_key(text, start)).collect())
}

/// Looks for a key at each place.
#[cfg(test)]
pub(super) fn api_keys_anywhere(text: &str) -> Vec<Range<usize>> {
    merged((0..text.len()).filter_map(|start| api_key(text, start)).collect())
}

/// Returns the range of the key that begins here, or of the credential behind the scheme that does.
fn api_key(text: &str, start: usize) -> Option<Range<usize>> {
    if after_word(text, start) {
        return None;
    }
    let rest = text.get(start..)?;
    let key = with_prefix(rest).or_else(|| {
        let (scheme, credential) = after_scheme(rest)?;
        let is_whole = text.trim().len() == rest.get(..credential.end)?.len();
        is_credential(scheme, rest.get(credential.clone())?, is_whole).then_some(credential)
    })?;
    Some(start + key.start..start + key.end)
}

/// Returns the range of a key that `text` begins with.
fn with_prefix(text: &str) -> Option<Range<usize>> {
    PREFIXES.iter().find_map(|(prefix, least)| {
        let rest = text.strip_prefix(prefix)?;
        let len = rest.bytes().take_while(|byte| is_base64url(*byte) || *byte == b'.').count();
        (len >= *least).then(|| 0..prefix.len() + len)
    })
}

/// Returns the scheme that `text` begins with, and the range of what may be a credential behind it.
fn after_scheme(text: &str) -> Option<(&'static str, Range<usize>)> {
    SCHEMES.iter().find_map(|scheme| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        let len = rest.bytes().take_while(|byte| is_token(*byte)).count();
        let is_alone = begin.eq_ignore_ascii_case(scheme) && !in_word(rest, len);
        is_alone.then(|| (*scheme, scheme.len()..scheme.len() + len))
    })
}

/// "bearer of bad news" is no credential: one is long and has a digit. `Bearer` and a credential that are the whole text
/// may be shorter, or without a digit. That of `Basic` is known whatever its length.
fn is_credential(scheme: &str, text: &str, is_whole: bool) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_bearer = scheme == BEARER && is_whole && (text.len() >= 16 || (text.len() >= 8 && has_digit));
    (text.len() >= 12 && has_digit) || is_bearer || (scheme == BASIC && is_user_and_password(text))
}

/// Returns whether it is the base64 of a user and a password with a colon in between (RFC 7617).
fn is_user_and_password(credential: &str) -> bool {
    let letters = credential.trim_end_matches('=');
    let text = STANDARD_NO_PAD.decode(letters).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    letters.len() >= 3 && text.is_some_and(|text| text.contains(':') && !text.contains(char::is_control))
}

pub(super) fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, _) in text.match_indices(PEM_BEGIN) {
        let rest = text.get(start..).unwrap_or_default();
        let label = rest.get(PEM_BEGIN.len()..).and_then(|rest| rest.split("-----").next()).unwrap_or_default();
        if !label.contains("PRIVATE KEY") || found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        // Without an end, everything behind it may be the key.
        let end = rest.find(PEM_END).map_or(rest.len(), |end| end + PEM_END.len() + label.len() + 5);
        found.push(start..start + end.min(rest.len()));
    }
    found
}

/// The ranges from left to right, with those that overlap made one.
pub(super) fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    if found.len() < 2 {
        return found;
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_and_scheme_begins_with_a_word_that_is_looked_for() {
        for text in PREFIXES.iter().map(|(prefix, _)| *prefix).chain(SCHEMES.iter().copied()) {
            let Some(end) = text.find(|letter: char| !letter.is_ascii_alphanumeric()) else {
                assert!(PAIRS.seconds_in(text.as_bytes()).any(|place| place == 1), "{text}");
                continue;
            };
            assert!(end <= LONGEST_WORD && begins_one(&text.as_bytes()[..end], text.as_bytes()[end]), "{text}");
            assert!(PAIRS.seconds_in(text.as_bytes()).any(|place| place == end), "{text}");
        }
    }

    #[test]
    fn each_prefix_and_scheme_is_found_at_the_begin_of_a_word_only() {
        for (prefix, least) in PREFIXES {
            let key = format!("{prefix}{}", "a1".repeat(*least));
            for (before, expected) in [("", 1), ("key=", 1), ("é ", 1), ("x", 0), ("é", 0), ("_", 0)] {
                let text = format!("{before}{key} and more");
                let found = api_keys(&text);
                assert_eq!(found.len(), expected, "{text}");
                assert!(found.iter().all(|range| text[range.clone()] == key), "{text}: {found:?}");
            }
        }
        for scheme in ["Bearer ", "basic ", "TOKEN "] {
            let text = format!("{scheme}abcdef0123456789, then");
            let found: Vec<&str> = api_keys(&text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, ["abcdef0123456789"], "{text}");
        }
    }

    #[test]
    fn a_user_and_a_password_are_known_by_their_base64() {
        for (credential, expected) in [
            ("dXNlcjpwYXNz", true),
            ("YTpi", true),
            ("YTo=", true),
            ("YTo", true),
            ("OmI=", true),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true),
            ("w7x6ZXI6cGFzcw==", true),
            ("", false),
            ("Og==", false),
            ("YWI=", false),
            ("YTpiYw", true),
            ("YTpiYx", false),
            ("YTpiY", false),
            ("YTo_", false),
            ("/zph", false),
            ("YToK", false),
            ("plan", false),
            ("access", false),
            ("membership", false),
            ("subscription", false),
        ] {
            assert_eq!(is_user_and_password(credential), expected, "{credential}");
        }
    }
}
