//! The bytes of all requests together.
//!
//! Invariant: bytes are taken before there is memory for them, and are given back when the request is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of bytes that are left for all requests.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicUsize>);

/// Bytes that one request has taken; it gives them back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    left: Arc<AtomicUsize>,
    bytes: usize,
}

/// The error of a budget that is used up.
#[derive(Debug, PartialEq)]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    pub(crate) fn share(&self) -> Share {
        Share { left: Arc::clone(&self.0), bytes: 0 }
    }
}

impl Share {
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let taken = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes));
        taken.map_err(|_| Exhausted)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives so many back.
    fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.left.fetch_add(bytes, Ordering::AcqRel);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.left.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

/// Bytes that grow, all of whose memory is taken from the budget.
pub(crate) struct Buffer<'a> {
    bytes: Vec<u8>,
    share: &'a mut Share,
}

impl<'a> Buffer<'a> {
    pub(crate) fn new(share: &'a mut Share) -> Self {
        Self { bytes: Vec::new(), share }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn push(&mut self, part: &[u8]) -> Result<(), Exhausted> {
        let (length, capacity) = (self.bytes.len() + part.len(), self.bytes.capacity());
        if length > capacity {
            // As a vector grows by itself, but where the budget has no room for that by what is needed.
            let enough = [length.max(capacity.saturating_mul(2)), length];
            let room = enough.into_iter().find(|room| self.share.take(room - capacity).is_ok());
            self.bytes.reserve_exact(room.ok_or(Exhausted)? - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    /// The bytes without the room beside them, which a service may keep for long.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let capacity = self.bytes.capacity();
        self.bytes.shrink_to_fit();
        self.share.give_back(capacity.saturating_sub(self.bytes.capacity()));
        self.bytes
    }

    /// The same, where they are in the place of `before`, which is dropped.
    pub(crate) fn finish_in_place_of(self, before: bytes::Bytes) -> Vec<u8> {
        self.share.give_back(before.len());
        drop(before);
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(budget: &Budget) -> usize {
        budget.0.load(Ordering::Acquire)
    }

    #[test]
    fn a_buffer_takes_all_its_memory_and_no_more_than_there_is() {
        let budget = Budget::new(10_000);
        let mut share = budget.share();
        let mut buffer = Buffer::new(&mut share);
        buffer.push(&[1; 3_000]).unwrap();
        assert_eq!(left(&budget), 7_000);
        buffer.push(&[2; 1]).unwrap();
        assert_eq!(left(&budget), 4_000, "the room for more is memory, too");
        buffer.push(&[3; 3_500]).unwrap();
        assert_eq!(left(&budget), 3_499, "twice as much is not there, but what is needed");
        assert_eq!(buffer.push(&[4; 4_000]), Err(Exhausted));
        let bytes = buffer.finish();
        assert_eq!((bytes.len(), left(&budget)), (6_501, 3_499));
        drop(share);
        assert_eq!(left(&budget), 10_000);
    }

    #[test]
    fn what_takes_the_place_of_other_bytes_gives_back_theirs() {
        let budget = Budget::new(10_000);
        let mut share = budget.share();
        share.take(100).unwrap();
        let mut buffer = Buffer::new(&mut share);
        buffer.push(&[1; 3_000]).unwrap();
        buffer.push(&[1; 1_000]).unwrap();
        let bytes = buffer.finish_in_place_of(vec![0; 100].into());
        assert_eq!((bytes.len(), bytes.capacity(), left(&budget)), (4_000, 4_000, 6_000));
    }
}
