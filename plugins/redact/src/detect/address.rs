//! Addresses: of mailboxes, and of machines.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::runs;

/// Bytes of the shortest IP address, which is one such as `::1`.
pub(super) const SHORTEST_IP: usize = 3;
/// Bytes of a MAC address, with its separators.
pub(super) const MAC_LEN: usize = 17;

pub(super) fn emails(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let local = before.chars().rev().take_while(|letter| is_local(*letter)).map(char::len_utf8).sum::<usize>();
        let start = at - local;
        let Some(domain) = domain_len(after) else { continue };
        if local > 0 && found.last().is_none_or(|last| last.end <= start) {
            found.push(start..at + 1 + domain);
        }
    }
    found
}

fn is_local(letter: char) -> bool {
    letter.is_alphanumeric() || "._%+-!#$&'*/=^`{|}~".contains(letter)
}

/// The length of a domain name at the start of `text`: labels with dots, the last of at least two letters.
fn domain_len(text: &str) -> Option<usize> {
    let end =
        text.find(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '.').unwrap_or(text.len());
    let domain = text.get(..end)?.trim_end_matches(['.', '-']);
    let (host, top) = domain.rsplit_once('.')?;
    let labels = host.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    (labels && top.chars().count() >= 2 && top.chars().all(char::is_alphabetic)).then_some(domain.len())
}

pub(super) fn ips(text: &str) -> Vec<Range<usize>> {
    let count = |run: &Range<usize>, sign: u8| {
        text.as_bytes().get(run.clone()).unwrap_or_default().iter().filter(|byte| **byte == sign).count()
    };
    runs(text, SHORTEST_IP, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
        .filter(|run| count(run, b'.') >= 3 || count(run, b':') >= 2)
        .flat_map(|run| ipv6(text, &run).map_or_else(|| ipv4s(text, &run), |address| vec![address]))
        .collect()
}

/// Returns the IPv6 address that a run is, but for a colon or dot before and behind it.
fn ipv6(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let part = text.get(run.clone())?;
    // `::` may begin an address, and end it.
    let part = part.strip_prefix(':').filter(|part| !part.starts_with(':')).unwrap_or(part);
    let address = [part, part.trim_end_matches(['.', ':'])].into_iter().find(|part| is_ipv6(part))?;
    let start = run.end - part.len();
    let range = start..start + address.len();
    stands_alone(text, &range).then_some(range)
}

/// A time such as `12:30:00` is none.
fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok_and(|address| !address.is_unspecified())
}

/// Returns the IPv4 addresses between the colons of a run.
fn ipv4s(text: &str, run: &Range<usize>) -> Vec<Range<usize>> {
    let mut end = run.start;
    let pieces = text.get(run.clone()).unwrap_or_default().split_inclusive(':').map(|piece| {
        end += piece.len();
        let address = piece.trim_start_matches('.');
        let start = end - address.len();
        start..start + address.trim_end_matches(['.', ':']).len()
    });
    let is_address = |range: &Range<usize>| text.get(range.clone()).is_some_and(is_ipv4);
    pieces.filter(|range| is_address(range) && stands_alone(text, range) && !is_version(text, range.start)).collect()
}

/// A version of four numbers that begins with zero is none.
fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() && !text.starts_with("0.")
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    !super::after_word(text, range.start) && !super::in_word(text, range.end)
}

/// Returns whether a product stands before `start`, as in `Chrome/125.0.0.0`: one slash, and a name that is no part of a
/// path itself.
fn is_version(text: &str, start: usize) -> bool {
    let Some(product) = text.get(..start).and_then(|before| before.strip_suffix('/')) else { return false };
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    product.ends_with(char::is_alphabetic) && !product.trim_end_matches(is_name).ends_with('/')
}

pub(super) fn macs(text: &str) -> Vec<Range<usize>> {
    runs(text, MAC_LEN, |byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-'))
        .filter(|run| run.len() == MAC_LEN)
        .filter(|run| !super::after_word(text, run.start) && !super::in_word(text, run.end))
        .filter(|run| text.get(run.clone()).is_some_and(is_mac))
        .collect()
}

fn is_mac(text: &str) -> bool {
    [':', '-'].iter().any(|separator| {
        let parts: Vec<&str> = text.split(*separator).collect();
        parts.len() == 6
            && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}
