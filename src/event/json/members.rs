//! Finds the members of a text without parsing their values.
//!
//! Invariant: text that breaks the invariant of [`RawMembers`](super::raw_members::RawMembers) ends the iteration
//! early. It has no other effect.

use std::ops::Range;

/// One member: its place, and the places of its key (with quotes) and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::event) struct MemberRange {
    pub(in crate::event) key: Range<usize>,
    pub(in crate::event) value: Range<usize>,
}

impl MemberRange {
    /// Returns the place of the key, without its quotes.
    pub(super) fn name(&self) -> Range<usize> {
        self.key.start + 1..self.key.end - 1
    }
}

/// Returns the members of `text`, in order. Ends early on text that is not as
/// [`RawMembers`](super::raw_members::RawMembers) has it.
pub(in crate::event) fn members(text: &[u8]) -> Members<'_> {
    Members { text, at: 0 }
}

/// Finds the key `name`, of the object whose first member begins at `at`. The value behind it is not read.
pub(super) fn find_key(text: &[u8], mut at: usize, name: &[u8]) -> Option<Range<usize>> {
    loop {
        let key = key_at(text, at)?;
        if text.get(key.start + 1..key.end - 1) == Some(name) {
            return Some(key);
        }
        let end = value_end(text, key.end + 1)?;
        if text.get(end) != Some(&b',') {
            return None;
        }
        at = end + 1;
    }
}

/// The iterator of [`members`].
#[derive(Clone)]
pub(in crate::event) struct Members<'t> {
    text: &'t [u8],
    at: usize,
}

impl Iterator for Members<'_> {
    type Item = MemberRange;

    fn next(&mut self) -> Option<MemberRange> {
        let key = key_at(self.text, self.at)?;
        let value = key.end + 1..value_end(self.text, key.end + 1)?;
        self.at = value.end + 1;
        Some(MemberRange { key, value })
    }
}

/// Returns the elements of an array, in order. `text` is the array without its brackets.
pub(super) fn elements(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let element = at..value_end(text, at)?;
        at = element.end + 1;
        Some(element)
    })
}

/// Returns the place of the key that begins at `at`, with its quotes.
fn key_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_key = text.get(at) == Some(&b'"');
    is_key.then(|| string_end(text, at)).flatten().map(|end| at..end)
}

/// Returns the end of the string that begins at `start`, behind its closing quote.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        // With what is escaped.
        at += 2;
    }
}

/// Returns the end of the value that begins at `start`.
pub(super) fn value_end(text: &[u8], start: usize) -> Option<usize> {
    match text.get(start)? {
        b'"' => string_end(text, start),
        b'{' | b'[' => nested_end(text, start),
        _ => {
            let rest = text.get(start..)?;
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']');
            Some(start + rest.iter().position(is_end).unwrap_or(rest.len()))
        }
    }
}

fn nested_end(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
