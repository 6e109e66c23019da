//! Finds the end of a string of JSON, and tests whether one needs escapes, eight bytes at a time.

/// One in every byte of a word.
const ONES: u64 = u64::MAX / 0xff;
/// The highest bit in every byte of a word.
const HIGHEST: u64 = ONES << 7;
/// Words of a string that is searched word by word.
const SHORT_WORDS: usize = 2;
/// A word of spaces.
const SPACES: u64 = ONES * b' ' as u64;

/// Returns how many bytes are in front of the first quote or backslash.
pub(super) fn plain_len(bytes: &[u8]) -> Option<usize> {
    // Most strings are short. A search that is made for long texts would take longer to begin.
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().take(SHORT_WORDS).enumerate() {
        let special = quotes_and_backslashes(u64::from_le_bytes(*word)) & HIGHEST;
        if special != 0 {
            return Some(at * 8 + special.trailing_zeros() as usize / 8);
        }
    }
    let begun = words.len().min(SHORT_WORDS) * 8;
    Some(begun + memchr::memchr2(b'"', b'\\', bytes.get(begun..)?)?)
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
    bytes.iter().all(|byte| !matches!(byte, 0..b' ' | b'"' | b'\\'))
}

/// Sets the highest bit of the first special byte, and of some behind it. These are the well-known tests of a word for a
/// byte that is zero or less than another. A byte before the first special one is never taken for one.
fn special_bytes(word: u64) -> u64 {
    let is_control = word.wrapping_sub(SPACES) & !word;
    (is_control | quotes_and_backslashes(word)) & HIGHEST
}

fn quotes_and_backslashes(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    is_zero(word ^ (ONES * u64::from(b'"'))) | is_zero(word ^ (ONES * u64::from(b'\\')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte, at every place of the first words and of the rest behind them.
    #[test]
    fn each_special_byte_is_seen_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
            for before in 0..40 {
                for behind in 0..20 {
                    let text = [vec![b'a'; before], vec![byte], vec![0xe9; behind]].concat();
                    assert_eq!(is_plain(&text), !is_special, "{byte} behind {before} before {behind}");
                    let expected = matches!(byte, b'"' | b'\\').then_some(before);
                    assert_eq!(plain_len(&text), expected, "{byte} behind {before} before {behind}");
                }
            }
        }
    }
}
