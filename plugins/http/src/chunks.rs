//! Mapped events in bodies that keep a vendor's limits.

use std::ops::Range;

/// The largest size of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    items: usize,
    bytes: usize,
    frame: usize,
}

impl Limits {
    /// At most `items` in at most `bytes`, before compression.
    pub const fn new(items: usize, bytes: usize) -> Self {
        Self { items, bytes, frame: 0 }
    }

    /// Bytes of the body that are not its items: brackets, a key. One byte between two items is counted anyway.
    pub const fn frame(mut self, bytes: usize) -> Self {
        self.frame = bytes;
        self
    }
}

/// The items of each body: ranges of indexes, in order. Each item is either in one range or too large for any body.
///
/// ```
/// use tracklane_http::{Chunks, Limits};
///
/// let items = ["11", "22", "333333333", "44"];
/// let chunks = Chunks::of(&items, Limits::new(10, 8).frame(2));
/// assert_eq!(chunks.ranges, [0..2, 3..4]);
/// assert_eq!(chunks.too_large, [2]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunks {
    /// The items of each body.
    pub ranges: Vec<Range<usize>>,
    /// Items that are too large even by themselves.
    pub too_large: Vec<usize>,
}

impl Chunks {
    /// Cuts `items`, as long as they are when mapped, so that no body exceeds the limits.
    #[must_use]
    pub fn of(items: &[impl AsRef<[u8]>], limits: Limits) -> Self {
        let room = limits.bytes.saturating_sub(limits.frame);
        let mut chunks = Self::default();
        let mut open = Open { start: 0, bytes: 0 };
        for (index, item) in items.iter().enumerate() {
            let len = item.as_ref().len();
            if len > room || limits.items == 0 {
                chunks.close(&open, index);
                chunks.too_large.push(index);
                open = Open { start: index + 1, bytes: 0 };
                continue;
            }
            let count = index - open.start;
            let with_it = open.bytes.saturating_add(len).saturating_add(usize::from(count > 0));
            if count < limits.items && with_it <= room {
                open.bytes = with_it;
                continue;
            }
            chunks.close(&open, index);
            open = Open { start: index, bytes: len };
        }
        chunks.close(&open, items.len());
        chunks
    }

    fn close(&mut self, open: &Open, end: usize) {
        if open.start < end {
            self.ranges.push(open.start..end);
        }
    }
}

/// The range that still grows.
struct Open {
    start: usize,
    bytes: usize,
}
