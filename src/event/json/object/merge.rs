//! Merges two objects as text, without making maps of them.
//!
//! Invariant: both texts are as [`RawMembers`](super::RawMembers) has them, and so is the result. A key has one spelling,
//! so keys are compared as bytes. Values are bounded in depth, and so is the recursion.

use std::borrow::Cow;

use crate::event::json::members::members;
use crate::event::json::raw_members::find;

/// The product of both lengths up to which a search for each key is fast. Beyond, a map is.
const MAX_WORK: usize = 1 << 20;

/// Returns `upper` with every member of `below` that it lacks. Where both values are objects, their members are merged in
/// the same way. `may_have` says by name which members `upper` may have; it is not searched for others. Returns `None` for
/// texts that are better merged as maps.
pub(super) fn merged<'t>(upper: &'t [u8], below: &[u8], may_have: impl Fn(&[u8]) -> bool) -> Option<Cow<'t, [u8]>> {
    if upper.len().saturating_mul(below.len()) > MAX_WORK {
        return None;
    }
    let room = upper.len() + 1 + below.len();
    let (mut out, mut nested) = (Vec::new(), false);
    for member in members(below) {
        let name = below.get(member.name()).unwrap_or_default();
        match if may_have(name) { find(upper, name) } else { None } {
            None => {
                if out.is_empty() {
                    out.reserve(room);
                }
                append(&mut out, below.get(member.key.start..member.value.end));
            }
            Some(mine) => nested |= lacks_nested(upper.get(mine.value), below.get(member.value)),
        }
    }
    if nested {
        out.reserve(room.saturating_sub(out.len()));
        append_merged(upper, below, 0, &mut out);
    } else if out.is_empty() {
        return Some(Cow::Borrowed(upper));
    } else if !upper.is_empty() {
        append(&mut out, Some(upper));
    }
    Some(Cow::Owned(out))
}

/// Returns whether both values are objects, and the first lacks anything of the second.
fn lacks_nested(upper: Option<&[u8]>, below: Option<&[u8]>) -> bool {
    let Some((upper, below)) = inside(upper).zip(inside(below)) else { return false };
    members(below).any(|member| match find(upper, below.get(member.name()).unwrap_or_default()) {
        None => true,
        Some(mine) => lacks_nested(upper.get(mine.value), below.get(member.value)),
    })
}

/// Appends what `upper` lacks of `below`, and then `upper`.
fn merge(upper: &[u8], below: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    for member in members(below) {
        if find(upper, below.get(member.name()).unwrap_or_default()).is_none() {
            separate(out, begin);
            out.extend_from_slice(below.get(member.key.start..member.value.end).unwrap_or_default());
        }
    }
    append_merged(upper, below, begin, out);
}

/// Appends the members of `upper`, each merged with that of `below`, to an object whose members begin at `begin`.
fn append_merged(upper: &[u8], below: &[u8], begin: usize, out: &mut Vec<u8>) {
    for member in members(upper) {
        separate(out, begin);
        let its = find(below, upper.get(member.name()).unwrap_or_default()).and_then(|its| below.get(its.value));
        match inside(upper.get(member.value.clone())).zip(inside(its)) {
            None => out.extend_from_slice(upper.get(member.key.start..member.value.end).unwrap_or_default()),
            Some((mine, its)) => {
                out.extend_from_slice(upper.get(member.key.start..=member.value.start).unwrap_or_default());
                merge(mine, its, out);
                out.push(b'}');
            }
        }
    }
}

/// Prepares for another member of an object whose members begin at `begin`.
fn separate(out: &mut Vec<u8>, begin: usize) {
    if out.len() > begin {
        out.push(b',');
    }
}

/// Appends members behind others.
fn append(out: &mut Vec<u8>, members: Option<&[u8]>) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(members.unwrap_or_default());
}

/// Returns the members of a value that is an object.
fn inside(value: Option<&[u8]>) -> Option<&[u8]> {
    value?.strip_prefix(b"{")?.strip_suffix(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(merged: Option<Cow<'_, [u8]>>) -> String {
        String::from_utf8(merged.unwrap().into_owned()).unwrap()
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
            let merged = super::merged(upper.as_bytes(), below.as_bytes(), |_| true);
            let unchanged = matches!(merged, Some(Cow::Borrowed(_)));
            assert_eq!((text(merged).as_str(), unchanged), (expected, upper == expected), "{below} under {upper}");
            let has = |name: &[u8]| find(upper.as_bytes(), name).is_some();
            let merged = super::merged(upper.as_bytes(), below.as_bytes(), has);
            assert_eq!(text(merged), expected, "{below} under {upper}, with what it has known");
        }
    }

    #[test]
    fn large_texts_are_left_to_maps() {
        let large = format!(r#""a":"{}""#, "a".repeat(MAX_WORK / 8));
        let merged = |below| super::merged(large.as_bytes(), below, |_| true);
        assert!(merged(br#""b":1"#).is_some() && merged(br#""bcdef":1"#).is_none());
    }
}
