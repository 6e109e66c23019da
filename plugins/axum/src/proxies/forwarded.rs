//! The hops that `X-Forwarded-For` and `Forwarded` list.
//!
//! Invariant: lines are read from their end, where the nearest proxy appends. So nothing before a proxy's own element,
//! which a client may have written, changes how that element is read: no open quote, and no byte that is not ASCII.
//! Nothing is trusted or rejected here. A hop that cannot be read is a hop without an address. A line that is marked as
//! sensitive is not read, and counts as one such hop.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::FORWARDED;

/// One client or proxy that passed the request on, as the next proxy saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) address: Option<IpAddr>,
    /// The scheme by which the request reached the proxy that wrote this.
    pub(super) scheme: Option<&'static str>,
}

/// Returns the hops of all lines of `X-Forwarded-For`, the nearest one first.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let hop = |element: &[u8]| Hop { address: text(element).and_then(address), scheme: None };
    hops(headers, "x-forwarded-for", |line| line.iter().rposition(|byte| *byte == b','), hop)
}

/// Returns the scheme that the nearest proxy wrote.
pub(super) fn x_forwarded_proto(headers: &HeaderMap) -> Option<&'static str> {
    let line = headers.get_all("x-forwarded-proto").iter().next_back().filter(|line| !line.is_sensitive())?;
    scheme(text(line.as_bytes().rsplit(|byte| *byte == b',').next()?)?)
}

/// Returns the hops of all lines of `Forwarded`, the nearest one first.
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let hop = |element: &[u8]| text(element).and_then(hop).unwrap_or_default();
    hops(headers, FORWARDED.as_str(), last_comma_outside_quotes, hop)
}

/// Reads the hops of each line of a header. A line that may not be read is one unreadable hop: without it the line
/// before would count, which a client may have written.
fn hops(
    headers: &HeaderMap,
    name: &str,
    last_comma: impl Fn(&[u8]) -> Option<usize>,
    hop: impl Fn(&[u8]) -> Hop,
) -> Vec<Hop> {
    let mut hops = Vec::new();
    for line in headers.get_all(name).iter().rev() {
        if line.is_sensitive() {
            hops.push(Hop::default());
            continue;
        }
        let mut rest = Some(line.as_bytes());
        while let Some(line) = rest {
            let (before, element) = match last_comma(line) {
                Some(comma) => (line.get(..comma), line.get(comma + 1..).unwrap_or_default()),
                None => (None, line),
            };
            if !element.trim_ascii().is_empty() {
                hops.push(hop(element));
            }
            rest = before;
        }
    }
    hops
}

/// Finds the comma before the last element of the line. Read from the end, a quote closes a string, and the next one
/// that is not escaped opens it.
fn last_comma_outside_quotes(line: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate().rev() {
        match byte {
            b'"' if !quoted => quoted = true,
            b'"' if !is_escaped(line, at) => quoted = false,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Returns whether an odd number of backslashes stands before that byte.
fn is_escaped(line: &[u8], at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Returns an element as text, if it is ASCII.
fn text(element: &[u8]) -> Option<&str> {
    std::str::from_utf8(element).ok().filter(|text| text.is_ascii())
}

/// Parses one element of `Forwarded`: `for=192.0.2.60;proto=http`. Returns `None` if it is malformed.
fn hop(element: &str) -> Option<Hop> {
    let (mut address_of, mut scheme_of) = (None, None);
    for pair in split_unquoted(element).into_iter().filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.trim().split_once('=')?;
        let value = value_of(value)?;
        if !is_token(name) {
            return None;
        }
        let seen = match name {
            _ if name.eq_ignore_ascii_case("for") => address_of.replace(address(value)).is_some(),
            _ if name.eq_ignore_ascii_case("proto") => scheme_of.replace(scheme(value)).is_some(),
            _ => false,
        };
        if seen {
            return None;
        }
    }
    Some(Hop { address: address_of.flatten(), scheme: scheme_of.flatten() })
}

/// Returns whether it can be the name of a parameter (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Splits at the semicolons that stand outside quotes.
fn split_unquoted(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let is_separator = |character: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            _ => {}
        }
        character == ';' && !quoted
    };
    text.split(is_separator).collect()
}

/// Returns a value without its quotes, or `None` if there is not exactly one value. Addresses and ports may stand
/// without quotes, as some proxies write them. No address and no scheme has an escape, so none is resolved.
fn value_of(value: &str) -> Option<&str> {
    let Some(opened) = value.strip_prefix('"') else {
        let is_part = |byte: u8| byte.is_ascii_graphic() && !b"\"\\,;=".contains(&byte);
        return value.bytes().all(is_part).then_some(value);
    };
    let inner = opened.strip_suffix('"')?;
    let mut escaped = false;
    for byte in inner.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return None,
            _ => {}
        }
    }
    (!escaped).then_some(inner)
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

fn scheme(text: &str) -> Option<&'static str> {
    let is = |scheme: &str| text.trim().eq_ignore_ascii_case(scheme);
    ["http", "https"].into_iter().find(|scheme| is(scheme))
}
