//! The hops that `X-Forwarded-For` and `Forwarded` list.
//!
//! Nothing is trusted or rejected here: a hop that cannot be read is a hop without an address. A line that a layer has
//! marked as sensitive is not read, and stands for one hop that cannot be read.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderValue};

/// One who passed the request on, as the next one saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) address: Option<IpAddr>,
    /// How the request reached whoever wrote this.
    pub(super) scheme: Option<&'static str>,
}

/// The hops of all lines of `X-Forwarded-For`, the nearest one last.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let hops = |line: &str| {
        line.split(',').filter(is_something).map(|text| Hop { address: address(text), scheme: None }).collect()
    };
    lines(headers, "x-forwarded-for", hops)
}

/// The scheme that the nearest proxy says.
pub(super) fn x_forwarded_proto(headers: &HeaderMap) -> Option<&'static str> {
    let line = text(headers.get_all("x-forwarded-proto").iter().next_back()?)?;
    scheme(line.rsplit(',').next().unwrap_or_default())
}

/// The hops of all lines of `Forwarded`, the nearest one last.
///
/// A quote that a client leaves open swallows what a proxy appends to the same line; the last hop is unreadable then,
/// and not one that the client made up.
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let hops = |line: &str| {
        split_unquoted(line, ',').into_iter().filter(is_something).map(|text| hop(text).unwrap_or_default()).collect()
    };
    lines(headers, FORWARDED.as_str(), hops)
}

/// What is read from each line of a header, in order. A line that may or can not be read is one unreadable hop: were
/// it left out, the line before it would count, which a client may have written.
fn lines(headers: &HeaderMap, name: &str, hops: impl Fn(&str) -> Vec<Hop>) -> Vec<Hop> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| text(line).map_or_else(|| vec![Hop::default()], &hops)).collect()
}

/// A line, if it is ASCII and no layer has marked it as sensitive.
fn text(line: &HeaderValue) -> Option<&str> {
    line.to_str().ok().filter(|_| !line.is_sensitive())
}

fn is_something(text: &&str) -> bool {
    !text.trim().is_empty()
}

/// One element of `Forwarded`: `for=192.0.2.60;proto=http`. `None` if it is malformed.
fn hop(element: &str) -> Option<Hop> {
    let mut hop = Hop::default();
    let mut has_for = false;
    for pair in split_unquoted(element, ';').into_iter().filter(is_something) {
        let (name, value) = pair.trim().split_once('=')?;
        let value = unquoted(value)?;
        if name.eq_ignore_ascii_case("for") {
            if std::mem::replace(&mut has_for, true) {
                return None;
            }
            hop.address = address(value);
        } else if name.eq_ignore_ascii_case("proto") {
            hop.scheme = scheme(value);
        }
    }
    Some(hop)
}

/// Splits where `separator` does not stand in quotes. A quote that is not closed stays in the last part.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let is_separator = |character: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            _ => {}
        }
        character == separator && !quoted
    };
    text.split(is_separator).collect()
}

/// A value without its quotes. None that is read here needs an escape, so one that has any is malformed.
fn unquoted(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(opened) => opened.strip_suffix('"')?,
        None => value,
    };
    (!inner.contains(['"', '\\'])).then_some(inner)
}

/// An address, with or without a port.
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
