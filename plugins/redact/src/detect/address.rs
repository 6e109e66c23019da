//! Addresses: of mailboxes, and of machines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
        .filter_map(|run| {
            let part = text.get(run.clone())?;
            let trimmed = part.trim_end_matches(['.', ':']);
            // `::` may end an address.
            let candidate = if part.parse::<Ipv6Addr>().is_ok() { part } else { trimmed };
            let alone = super::after_word(text, run.start) || super::in_word(text, run.start + candidate.len());
            (!alone && is_ip(candidate)).then(|| run.start..run.start + candidate.len())
        })
        .collect()
}

/// A time such as `12:30:00` is none, nor is a version of four numbers that begins with zero.
fn is_ip(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(address)) => address != Ipv4Addr::UNSPECIFIED && !text.starts_with("0."),
        Ok(IpAddr::V6(address)) => address != Ipv6Addr::UNSPECIFIED,
        Err(_) => text.rsplit_once(':').is_some_and(|(host, port)| {
            port.parse::<u16>().is_ok() && host.parse::<Ipv4Addr>().is_ok_and(|address| !address.is_unspecified())
        }),
    }
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
