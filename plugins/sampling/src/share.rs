//! Decides whether a key is in a share.

use sha2::{Digest, Sha256};

/// Returns whether `key` is in the share `rate` of all keys.
///
/// The first eight bytes of SHA-256 over the seed, a zero byte and the key, read as a big-endian number, are below
/// `rate` × 2⁶⁴. Any language and most databases can tell the same. In PostgreSQL 11 and later, for a rate of one tenth
/// and an empty seed, this is `get_byte(sha256('\x00'::bytea || user_id::bytea), 0) / 256.0 < 0.1`, to the nearest 1/256.
///
/// ```
/// use tracklane_sampling::in_share;
///
/// let users = (0..10_000).filter(|user| in_share(0.1, "", &format!("user-{user}"))).count();
/// assert!((900..1_100).contains(&users));
/// ```
#[must_use]
pub fn in_share(rate: f64, seed: &str, key: &str) -> bool {
    is_below(rate, position(&seeded(seed), key))
}

/// Returns whether the key at that position is in the share.
pub(crate) fn is_below(rate: f64, position: u64) -> bool {
    rate >= 1.0 || position < threshold(rate)
}

/// Returns the hash of a seed, behind which a key comes.
pub(crate) fn seeded(seed: &str) -> Sha256 {
    Sha256::new().chain_update(seed).chain_update([0])
}

/// Returns the place of a key among all keys. It goes on from the hash of the seed, which is the same for all.
pub(crate) fn position(seeded: &Sha256, key: &str) -> u64 {
    let hash = seeded.clone().chain_update(key).finalize();
    hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// The rate × 2⁶⁴. A product that a `u64` cannot hold becomes the nearest that it can.
fn threshold(rate: f64) -> u64 {
    (rate * 2_f64.powi(64)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf '%s\0%s' seed key | sha256sum | cut -c1-16`.
    #[test]
    fn the_hash_is_the_documented_one() {
        for (seed, key, expected) in [("", "u1", 0x98ef_bbab_5be4_3e89_u64), ("2024", "u1", 0x02ea_d612_d637_8d0b)] {
            assert_eq!(position(&seeded(seed), key), expected, "{seed:?} {key:?}");
        }
    }

    #[test]
    fn a_rate_of_nothing_takes_nobody_and_a_whole_takes_everybody() {
        for user in 0..1_000 {
            assert!(!in_share(0.0, "", &user.to_string()));
            assert!(in_share(1.0, "", &user.to_string()));
        }
    }

    #[test]
    fn a_higher_rate_keeps_whom_a_lower_one_took() {
        for user in 0..1_000 {
            let user = user.to_string();
            let taken: Vec<bool> = (0..=10).map(|tenth| in_share(f64::from(tenth) / 10.0, "s", &user)).collect();
            assert!(taken.is_sorted(), "{user}: {taken:?}");
        }
    }
}
