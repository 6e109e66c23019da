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
    /// `_` and a space
    Gap,
}

/// How many bytes of each kind a text has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    pub(crate) len: usize,
    /// A counter of [`BITS`] for each kind. Its highest bit, once set, stays: no detector asks for more than 13.
    counts: u64,
}

/// The signs that a text has at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// Bytes of the text.
    pub(crate) len: usize,
    counts: u64,
}

impl Needs {
    /// A text of `len` bytes at least, with as many signs of these kinds. No count is greater than [`CHUNK`].
    #[allow(clippy::indexing_slicing, reason = "the compiler computes it, and stops at an index that is too large")]
    pub(super) const fn of(len: usize, signs: &[(Sign, u64)]) -> Self {
        let (mut counts, mut at) = (0, 0);
        while at < signs.len() {
            let (sign, count) = signs[at];
            assert!(count <= CHUNK as u64);
            counts |= count << (sign as u32 * BITS);
            at += 1;
        }
        Self { len, counts }
    }
}

/// Bits of a counter.
const BITS: u32 = 6;
/// As many bytes as a counter can count before its highest bit is set.
const CHUNK: usize = (1 << (BITS - 1)) - 1;
/// The highest bit of each counter.
const FULL: u64 = {
    let (mut full, mut sign) = (0, 0);
    while sign <= Sign::Gap as u32 {
        full |= 1 << (sign * BITS + BITS - 1);
        sign += 1;
    }
    full
};

/// By byte: one in the counter of its kind.
#[allow(clippy::indexing_slicing, reason = "it is computed by the compiler, which stops at an index that is too large")]
const KINDS: [u64; 256] = {
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
        b'_' | b' ' => Sign::Gap,
        _ => return None,
    })
}

impl Signs {
    pub(crate) fn new(text: &str) -> Self {
        let mut signs = Self { len: text.len(), counts: 0 };
        for chunk in text.as_bytes().chunks(CHUNK) {
            signs.add(chunk.iter().fold(0, |sum, byte| sum + of(*byte)));
        }
        signs
    }

    /// Adds the counts of at most [`CHUNK`] bytes.
    fn add(&mut self, sum: u64) {
        self.counts = ((self.counts & !FULL) + sum) | (self.counts & FULL);
    }

    /// Returns whether the text has at least these signs, all kinds compared at once.
    pub(crate) fn meet(self, needs: &Needs) -> bool {
        // The highest bit of a counter is there for the subtraction to borrow from: it stays where there are enough.
        let enough = ((self.counts | FULL) - needs.counts) | self.counts;
        self.len >= needs.len && enough & FULL == FULL
    }

    #[cfg(test)]
    fn count(self, sign: Sign) -> u64 {
        (self.counts >> (sign as u32 * BITS)) & ((1 << BITS) - 1)
    }
}

fn of(byte: u8) -> u64 {
    // Every byte has a place in the table.
    KINDS.get(usize::from(byte)).copied().unwrap_or_default()
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
            (Sign::Gap, 1),
        ];
        for (sign, count) in expected {
            assert_eq!(signs.count(sign), count, "{sign:?}");
        }
        assert_eq!(Signs::new("").count(Sign::Digit), 0);
    }

    #[test]
    fn a_long_text_has_the_signs_that_it_has() {
        for len in [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5, 10_000] {
            let digits = "7".repeat(len);
            assert!(Signs::new(&digits).count(Sign::Digit) >= 13, "{len} digits");
            assert_eq!(Signs::new(&digits).count(Sign::Capital), 0, "{len} digits are no capitals");
            // What follows is not overlooked, and counted alone.
            let signs = Signs::new(&format!("{digits}@{}", "A".repeat(14)));
            assert_eq!((signs.count(Sign::At), signs.count(Sign::Capital)), (1, 14), "{len} digits in front");
        }
    }

    #[test]
    fn there_are_enough_signs_from_the_count_on_that_is_asked_for() {
        for (least, len) in (1..=13).flat_map(|least| (0..100).map(move |len| (least, len))) {
            let signs = Signs::new(&format!("AAA{}::", "7".repeat(len)));
            let meet = |len, needs: &[(Sign, u64)]| signs.meet(&Needs::of(len, needs));
            assert_eq!(meet(0, &[(Sign::Digit, least)]), len as u64 >= least, "{len} of {least}");
            assert_eq!(meet(0, &[(Sign::Digit, least), (Sign::Capital, 3)]), len as u64 >= least, "{len} of {least}");
            assert!(!meet(0, &[(Sign::Digit, least), (Sign::Capital, 4)]), "{len} digits");
            assert_eq!(meet(60, &[(Sign::Colon, 2)]), len + 5 >= 60, "{len} digits");
        }
    }
}
