//! Finds the bytes that end a string of JSON, eight at a time.

/// One in every byte of a word.
const ONES: u64 = u64::MAX / 0xff;
/// The highest bit in every byte of a word.
const HIGHEST: u64 = ONES << 7;
/// A word of spaces.
const SPACES: u64 = ONES * b' ' as u64;

/// Returns how many bytes from the first on can stand between quotes as they are: no quote, backslash or control
/// character.
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

/// Returns whether the bytes can stand between quotes as they are.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // The last word overlaps the one before it, which costs less than testing each byte of the rest.
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        return words.iter().chain([last]).all(|word| special_bytes(u64::from_le_bytes(*word)) == 0);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let word = u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
        return special_bytes(word) == 0;
    }
    plain_len(bytes) == bytes.len()
}

/// Sets the highest bit of the first special byte, and of some behind it. These are the well-known tests of a word for a
/// byte that is zero or less than another. A byte before the first special one is never taken for one.
fn special_bytes(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is_control = word.wrapping_sub(SPACES) & !word;
    let is_quote = is_zero(word ^ (ONES * u64::from(b'"')));
    let is_backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
    (is_control | is_quote | is_backslash) & HIGHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte, at every place of a word and of the rest behind it.
    #[test]
    fn each_special_byte_is_seen_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
            for before in 0..20 {
                for behind in 0..20 {
                    let text = [vec![b'a'; before], vec![byte], vec![0xe9; behind]].concat();
                    let expected = if is_special { before } else { text.len() };
                    assert_eq!(plain_len(&text), expected, "{byte} behind {before} before {behind}");
                    assert_eq!(is_plain(&text), !is_special, "{byte} behind {before} before {behind}");
                }
            }
        }
    }
}
