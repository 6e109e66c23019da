//! Counts the bytes of a text that detectors depend on, all kinds of them at once.

/// A kind of byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Digit,
    Capital,
    At,
    Colon,
    Dash,
    Dot,
    Plus,
    /// `?` and `=`
    Query,
    Slash,
}

/// How many bytes of each kind a text has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    pub(super) len: usize,
    /// A counter of [`BITS`] for each kind. No detector asks for more than 13, so one that is full stays full.
    counts: u128,
}

/// Bits of a counter.
const BITS: u32 = 14;
/// As many bytes as a counter can count. More are not looked at: a text that long has signs of everything.
const MOST: usize = (1 << BITS) - 1;

/// By byte: one in the counter of its kind.
#[allow(clippy::indexing_slicing, reason = "it is computed by the compiler, which stops at an index that is too large")]
const KINDS: [u128; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = match kind(byte as u8) {
            Some(sign) => 1 << (sign as u32 * BITS),
            None => 0,
        };
        byte += 1;
    }
    kinds
};

const fn kind(byte: u8) -> Option<Sign> {
    Some(match byte {
        b'0'..=b'9' => Sign::Digit,
        b'A'..=b'Z' => Sign::Capital,
        b'@' => Sign::At,
        b':' => Sign::Colon,
        b'-' => Sign::Dash,
        b'.' => Sign::Dot,
        b'+' => Sign::Plus,
        b'?' | b'=' => Sign::Query,
        b'/' => Sign::Slash,
        _ => return None,
    })
}

impl Signs {
    /// Signs of everything, which keep no detector from looking.
    #[cfg(test)]
    pub(super) const EVERY: Self = Self { len: usize::MAX, counts: u128::MAX };

    pub(crate) fn new(text: &str) -> Self {
        let counts = match text.len() {
            // Every byte has a place in the table.
            0..=MOST => text.bytes().filter_map(|byte| KINDS.get(usize::from(byte))).sum(),
            _ => u128::MAX,
        };
        Self { len: text.len(), counts }
    }

    pub(super) fn count(self, sign: Sign) -> u64 {
        (self.counts >> (sign as u32 * BITS)) as u64 & MOST as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_byte_is_counted() {
        let signs = Signs::new("0AZ9 a@b:c::d-e..f+?==/é");
        let expected = [
            (Sign::Digit, 2),
            (Sign::Capital, 2),
            (Sign::At, 1),
            (Sign::Colon, 3),
            (Sign::Dash, 1),
            (Sign::Dot, 2),
            (Sign::Plus, 1),
            (Sign::Query, 3),
            (Sign::Slash, 1),
        ];
        for (sign, count) in expected {
            assert_eq!(signs.count(sign), count, "{sign:?}");
        }
        assert_eq!(Signs::new("").count(Sign::Digit), 0);
    }

    #[test]
    fn a_long_text_has_every_sign_that_it_may_have() {
        for len in [MOST - 1, MOST, MOST + 1, 3 * MOST] {
            let text = "7".repeat(len);
            assert!(Signs::new(&text).count(Sign::Digit) >= 13, "{len} digits");
            // What follows is not overlooked.
            assert!(Signs::new(&format!("{}@", "x".repeat(len))).count(Sign::At) >= 1, "{len} letters in front");
        }
    }
}
