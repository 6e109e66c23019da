//! Reading the members of a JSON object that is still text.
//!
//! The text is what this crate or `serde_json` wrote: the members of one object without its braces,
//! `"a":1,"b":{"c":2}`, no white space around members. Nothing here parses values or allocates.

use std::ops::Range;

/// One member: where it stands, and where its key (with quotes) and its value are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The members of `text`, in order. Ends early on text that is not what the module says.
pub(super) fn members(text: &[u8]) -> impl Iterator<Item = Member> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let key = at..string_end(text, at)?;
        let value = key.end + 1..value_end(text, key.end + 1)?;
        at = value.end + 1;
        Some(Member { key, value })
    })
}

/// Where the string that begins at `start` ends (behind its closing quote).
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut bytes = text.iter().enumerate().skip(start + 1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// Where the value that begins at `start` ends.
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

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn members_are_found_in_order_whatever_their_values_hold() {
        let text = br#""a":1,"b\"":"x,}\\","c":{"d":[1,{"e":"]"}]},"f":[],"g":null"#;
        let found: Vec<(&str, &str)> = members(text)
            .map(|member| {
                (std::str::from_utf8(&text[member.key]).unwrap(), std::str::from_utf8(&text[member.value]).unwrap())
            })
            .collect();
        let expected = [
            (r#""a""#, "1"),
            (r#""b\"""#, r#""x,}\\""#),
            (r#""c""#, r#"{"d":[1,{"e":"]"}]}"#),
            (r#""f""#, "[]"),
            (r#""g""#, "null"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn text_that_is_cut_ends_the_walk_without_a_panic() {
        let text = br#""a":1,"b":{"c":[1,2,{"d":"e"}]},"f":"g\"h""#;
        for cut in 0..text.len() {
            assert!(members(&text[..cut]).count() <= 3, "cut at {cut}");
        }
    }
}
