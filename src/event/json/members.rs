//! Finds the members of a text without parsing their values.
//!
//! Invariant: text that breaks the invariant of [`RawMembers`](super::raw_members::RawMembers) ends the iteration
//! early. It has no other effect.

use std::ops::Range;

use super::string::plain_len;

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

/// The iterator of [`members`].
#[derive(Clone)]
pub(in crate::event) struct Members<'t> {
    text: &'t [u8],
    at: usize,
}

impl Iterator for Members<'_> {
    type Item = MemberRange;

    fn next(&mut self) -> Option<MemberRange> {
        if self.at >= self.text.len() {
            return None;
        }
        let key = self.at..string_end(self.text, self.at)?;
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

/// Returns the end of the string that begins at `start`, behind its closing quote.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += plain_len(text.get(at..)?);
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Returns the end of the value that begins at `start`.
fn value_end(text: &[u8], start: usize) -> Option<usize> {
    match text.get(start)? {
        b'"' => string_end(text, start),
        b'{' | b'[' => nested_end(text, start),
        _ => {
            let rest = text.get(start..)?;
            Some(start + rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len()))
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
