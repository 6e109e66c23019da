//! A string as JSON text, and back.
//!
//! Most strings of events need no escapes. Testing eight bytes at a time for that, and copying them whole, takes a
//! third of the time of testing every byte. Other strings are left to `serde_json`. The text is the same.

use std::borrow::Cow;

/// One in every byte of a word.
const ONES: u64 = u64::MAX / 0xff;
/// The highest bit in every byte of a word.
const HIGHEST: u64 = ONES << 7;
/// A word of spaces.
const SPACES: u64 = ONES * b' ' as u64;

/// Appends `string` in quotes, with the escapes that it needs.
pub(in crate::event) fn write_string(out: &mut Vec<u8>, string: &str) {
    if !is_plain(string.as_bytes()) {
        // A string can always be written, and a `Vec` takes every byte.
        let _ = serde_json::to_writer(out, string);
        return;
    }
    out.reserve(string.len() + 2);
    out.push(b'"');
    out.extend_from_slice(string.as_bytes());
    out.push(b'"');
}

/// Returns the length of what [`write_string`] appends.
pub(in crate::event) fn written_len(string: &str) -> usize {
    match is_plain(string.as_bytes()) {
        true => string.len() + 2,
        false => serde_json::to_vec(string).map_or(0, |quoted| quoted.len()),
    }
}

/// Reads a string from its JSON text `quoted`, with its quotes. Returns `None` if it is not a string.
pub(in crate::event) fn read_string(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_some() {
        return serde_json::from_slice(quoted).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

/// Returns whether the bytes can be between quotes as they are.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // The last word overlaps the one before it, which costs less than testing each byte of the rest.
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        return words.iter().chain([last]).all(|word| is_plain_word(u64::from_le_bytes(*word)));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return is_plain_word(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
    }
    bytes.iter().all(|byte| *byte >= b' ' && *byte != b'"' && *byte != b'\\')
}

/// Returns how many bytes from the first on can stand between quotes as they are.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Returns whether there is no byte below a space, no quote and no backslash.
fn is_plain_word(word: u64) -> bool {
    special_bytes(word) == 0
}

/// Sets the highest bit of the first byte below a space, quote or backslash, and of some behind it. These are the
/// well-known tests of a word for a byte that is zero or less than another. A byte before the first one is never taken for
/// one.
fn special_bytes(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is_control = word.wrapping_sub(SPACES) & !word;
    let is_quote = is_zero(word ^ (ONES * u64::from(b'"')));
    let is_backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
    (is_control | is_quote | is_backslash) & HIGHEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read_string, write_string};

    fn written(string: &str) -> String {
        let mut out = b"before".to_vec();
        write_string(&mut out, string);
        String::from_utf8(out).unwrap().split_off("before".len())
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_written_and_read_again(string in "[ -~]{0,20}|\\PC{0,20}|[\u{0}-\u{ff}]{0,20}") {
            let text = written(&string);
            prop_assert_eq!(&text, &serde_json::to_string(&string).unwrap());
            let read = read_string(text.as_bytes());
            prop_assert_eq!(read.as_deref(), Some(&*string));
        }
    }

    /// Tests every first byte of a character, at every place of a word and of the rest behind it.
    #[test]
    fn every_character_is_seen_wherever_it_stands() {
        for character in ('\0'..='\u{100}').chain(['\u{2028}', '\u{ffff}', '\u{10ffff}']) {
            for before in 0..20 {
                for behind in [0, 1, 7, 8, 9] {
                    let string = format!("{}{character}{}", "a".repeat(before), "~".repeat(behind));
                    assert_eq!(written(&string), serde_json::to_string(&string).unwrap(), "{string:?}");
                }
            }
        }
    }
}
