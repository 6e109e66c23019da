//! Random values, each from the operating system.
//!
//! Invariant: no generator is kept. A process that forks copies its memory. With a generator in it, parent and child
//! would make the same ids, and Segment would drop the events of one of them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::UNIX_EPOCH;

use uuid::Uuid;

/// Bytes of one UUID.
const BYTES: usize = 16;
/// The largest number of UUIDs that are made by one system call.
const AT_ONCE: usize = 64;

/// Makes a random UUID.
pub(crate) fn uuid() -> Uuid {
    let mut bytes = [0; BYTES];
    fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Makes a random number from 0 to 1, without 1.
pub(crate) fn fraction() -> f64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    // As many bits as a double has.
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

fn fill(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        fill_without_system(bytes);
    }
}

/// Used if the system has no random values: hashes what differs between processes and moments.
#[cold]
fn fill_without_system(bytes: &mut [u8]) {
    let now = crate::clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    for part in bytes.chunks_mut(size_of::<u64>()) {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(crate::process::id());
        hasher.write_u128(now.as_nanos());
        part.copy_from_slice(hasher.finish().to_le_bytes().get(..part.len()).unwrap_or_default());
    }
}

/// UUIDs for events that are there already, made in groups. It must not outlive these events. If the process forks in
/// between, both processes have the rest, and would make the same ids.
#[derive(Default)]
pub(crate) struct Uuids {
    bytes: Vec<u8>,
}

impl Uuids {
    /// Returns the next one. `wanted` is the number that is wanted from now on.
    pub(crate) fn next(&mut self, wanted: usize) -> Uuid {
        if self.bytes.is_empty() {
            self.bytes.resize(wanted.clamp(1, AT_ONCE) * BYTES, 0);
            fill(&mut self.bytes);
        }
        let Some((rest, next)) = self.bytes.split_last_chunk() else { return uuid() };
        let (left, uuid) = (rest.len(), uuid::Builder::from_random_bytes(*next).into_uuid());
        self.bytes.truncate(left);
        uuid
    }

    /// Forgets those that are left.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn uuids_are_random_and_different_whichever_way_they_are_made() {
        let mut uuids = Uuids::default();
        let mut all: Vec<Uuid> = (0..1000).map(|number| uuids.next(number % 100)).collect();
        all.extend((0..100).map(|_| uuid()));
        assert!(all.iter().all(|uuid| uuid.get_version_num() == 4));
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 1100);
    }

    #[test]
    fn fractions_spread_from_0_to_1() {
        let fractions: Vec<f64> = (0..1000).map(|_| fraction()).collect();
        assert!(fractions.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        assert!(fractions.iter().any(|fraction| *fraction < 0.1) && fractions.iter().any(|fraction| *fraction > 0.9));
    }

    #[test]
    fn without_the_system_there_are_random_bytes_all_the_same() {
        let filled = |len| {
            let mut bytes = vec![0; len];
            fill_without_system(&mut bytes);
            bytes
        };
        assert_ne!(filled(16), filled(16));
        assert_eq!(filled(21).len(), 21);
    }
}
