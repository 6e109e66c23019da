//! Tokens and keys that open something.

use std::ops::Range;

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
const SCHEMES: &[&str] = &["bearer ", "basic ", "token "];
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=')
}

pub(super) fn jwts(text: &str) -> Vec<Range<usize>> {
    runs(text, |byte| is_base64url(byte) || byte == b'.').filter_map(|run| jwt(text, run)).collect()
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

pub(super) fn api_keys(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> =
        PREFIXES.iter().flat_map(|(prefix, least)| with_prefix(text, prefix, *least)).collect();
    found.extend(SCHEMES.iter().flat_map(|scheme| after_scheme(text, scheme)));
    merged(found)
}

fn with_prefix<'a>(text: &'a str, prefix: &'a str, least: usize) -> impl Iterator<Item = Range<usize>> + 'a {
    text.match_indices(prefix).filter_map(move |(start, _)| {
        let rest = text.get(start + prefix.len()..)?;
        let len = rest.bytes().take_while(|byte| is_base64url(*byte) || *byte == b'.').count();
        (len >= least && !after_word(text, start)).then(|| start..start + prefix.len() + len)
    })
}

fn after_scheme<'a>(text: &'a str, scheme: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let bytes = text.as_bytes();
    (0..bytes.len()).filter_map(move |start| {
        let found = bytes.get(start..start + scheme.len())?.eq_ignore_ascii_case(scheme.as_bytes());
        if !found || after_word(text, start) {
            return None;
        }
        let from = start + scheme.len();
        let len = bytes.get(from..)?.iter().take_while(|byte| is_token(**byte)).count();
        let credential = text.get(from..from + len)?;
        // "bearer of bad news" is no credential: one has a digit, and is long.
        let secret = len >= 12 && credential.bytes().any(|byte| byte.is_ascii_digit());
        (secret && !in_word(text, from + len)).then(|| from..from + len)
    })
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
