//! Merges two objects as text, without making maps of them.
//!
//! Invariant: both texts are as [`RawMembers`](super::RawMembers) has them, and so is the result. A key has one spelling,
//! so keys are compared as bytes. Values are bounded in depth, and so is the recursion.

use crate::event::json::members::{find_key, members};
use crate::event::json::raw_members::{ANY_KEY, key_bit, move_end};

/// The product of both lengths up to which a search for each key is fast. Beyond, a map is.
const MAX_WORK: usize = 1 << 20;

/// Adds to `upper` every member of `below` that it lacks, in front of its own. Where both values are objects, their members
/// are merged in the same way. A key is searched for only if its bit is in `keys`, the filter of the keys of `upper`. Returns
/// `false`, and changes nothing, for texts that are better merged as maps.
pub(super) fn merge(upper: &mut Vec<u8>, below: &[u8], keys: u64) -> bool {
    let is_short = is_short(upper, below);
    if is_short {
        merge_members(upper, 0, below, keys);
    }
    is_short
}

/// Returns by how many bytes [`merge`] would make `upper` longer.
pub(super) fn added_len(upper: &[u8], below: &[u8], keys: u64) -> Option<usize> {
    is_short(upper, below).then(|| len_of_missing(upper, 0, below, keys))
}

fn is_short(upper: &[u8], below: &[u8]) -> bool {
    upper.len().saturating_mul(below.len()) <= MAX_WORK
}

/// Merges `below` under the object of `text` whose members begin at `start`.
fn merge_members(text: &mut Vec<u8>, start: usize, below: &[u8], keys: u64) {
    let mut own = start;
    for member in members(below) {
        let name = below.get(member.name()).unwrap_or_default();
        match find_own(text, own, name, keys) {
            None => own += insert(text, own, own > start, below.get(member.key.start..member.value.end)),
            Some(value) => {
                if let Some((inside, below)) = both_objects(text, value, below.get(member.value)) {
                    merge_members(text, inside, below, ANY_KEY);
                }
            }
        }
    }
}

/// Returns how many bytes the object of `text` whose members begin at `start` lacks of `below`, with commas.
fn len_of_missing(text: &[u8], start: usize, below: &[u8], keys: u64) -> usize {
    let (mut len, mut is_empty) = (0, is_end(text, start));
    for member in members(below) {
        let name = below.get(member.name()).unwrap_or_default();
        match find_own(text, start, name, keys) {
            None => {
                let comma = usize::from(!std::mem::take(&mut is_empty));
                len += member.value.end - member.key.start + comma;
            }
            Some(value) => {
                if let Some((inside, below)) = both_objects(text, value, below.get(member.value)) {
                    len += len_of_missing(text, inside, below, ANY_KEY);
                }
            }
        }
    }
    len
}

/// Returns where the value of that member begins, in the object of `text` whose members begin at `start`.
fn find_own(text: &[u8], start: usize, name: &[u8], keys: u64) -> Option<usize> {
    if keys != ANY_KEY && keys & key_bit(name) == 0 {
        return None;
    }
    find_key(text, start, name).map(|key| key.end + 1)
}

/// Returns where the members of the value at `value` begin, and those of the other value, if both are objects.
fn both_objects<'b>(text: &[u8], value: usize, below: Option<&'b [u8]>) -> Option<(usize, &'b [u8])> {
    (text.get(value) == Some(&b'{')).then_some(value + 1).zip(inside(below))
}

/// Inserts a member at `at`, in front of the members that are there, or behind others that were inserted. Returns by how
/// many bytes the text is longer.
fn insert(text: &mut Vec<u8>, at: usize, is_behind: bool, member: Option<&[u8]>) -> usize {
    let (is_end, end) = (is_end(text, at), text.len());
    if is_end && is_behind {
        text.push(b',');
    }
    text.extend_from_slice(member.unwrap_or_default());
    if !is_end {
        text.push(b',');
    }
    move_end(text, end, at)
}

/// Returns whether an object ends here.
fn is_end(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), None | Some(b'}'))
}

/// Returns the members of a value that is an object.
fn inside(value: Option<&[u8]>) -> Option<&[u8]> {
    value?.strip_prefix(b"{")?.strip_suffix(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(text: &[u8]) -> u64 {
        members(text).fold(0, |keys, member| keys | key_bit(&text[member.name()]))
    }

    #[test]
    fn what_is_missing_is_added_at_every_level_and_what_is_there_wins() {
        for (upper, below, expected) in [
            (r#""a":1"#, r#""a":2"#, r#""a":1"#),
            (r#""a":1"#, r#""b":2"#, r#""b":2,"a":1"#),
            (r#""a":1"#, "", r#""a":1"#),
            ("", r#""b":2"#, r#""b":2"#),
            (r#""a":1,"l":{"n":"own"}"#, r#""l":{"n":"x","v":2},"z":{}"#, r#""z":{},"a":1,"l":{"v":2,"n":"own"}"#),
            (r#""l":{},"k":1"#, r#""l":{"v":{"w":[1,{"l":2}]}}"#, r#""l":{"v":{"w":[1,{"l":2}]}},"k":1"#),
            (r#""l":{"v":{"a":"{"}}"#, r#""l":{"v":{"b":"}"}}"#, r#""l":{"v":{"b":"}","a":"{"}}"#),
            (r#""l":null,"m":"{}""#, r#""l":{"v":2},"m":{"n":1}"#, r#""l":null,"m":"{}""#),
            (r#""l":{"v":2}"#, r#""l":1"#, r#""l":{"v":2}"#),
        ] {
            for keys in [ANY_KEY, keys_of(upper.as_bytes())] {
                let added = added_len(upper.as_bytes(), below.as_bytes(), keys);
                let mut merged = upper.as_bytes().to_vec();
                assert!(merge(&mut merged, below.as_bytes(), keys));
                assert_eq!(String::from_utf8(merged).unwrap(), expected, "{below} under {upper}");
                assert_eq!(added, Some(expected.len() - upper.len()), "{below} under {upper}");
            }
        }
    }

    #[test]
    fn large_texts_are_left_to_maps() {
        let large = format!(r#""a":"{}""#, "a".repeat(MAX_WORK / 8));
        for (below, expected) in [(&br#""b":1"#[..], true), (br#""bcdef":1"#, false)] {
            let mut text = large.clone().into_bytes();
            assert_eq!(merge(&mut text, below, ANY_KEY), expected);
            assert_eq!(added_len(large.as_bytes(), below, ANY_KEY), expected.then_some(text.len() - large.len()));
        }
    }
}
