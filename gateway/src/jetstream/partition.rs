//! Chooses the partition of an event.
//!
//! Invariant: the same for the same user of a pipeline, in every gateway and for ever, as long as the number of partitions
//! stays. The `anonymousId` comes first, because it stays when a user logs in.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The ids of a user, as texts of the event's JSON. It spells each value in one way.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User<'e> {
    #[serde(borrow)]
    anonymous_id: Option<&'e RawValue>,
    #[serde(borrow)]
    user_id: Option<&'e RawValue>,
}

/// Returns the partition of an event, from 0.
pub(super) fn partition_of(pipeline: &str, event: &[u8], partitions: u16) -> u16 {
    let user: User<'_> = serde_json::from_slice(event).unwrap_or_default();
    let id = user.anonymous_id.or(user.user_id).map_or("", RawValue::get);
    let hash = Sha256::new().chain_update(pipeline).chain_update([0]).chain_update(id).finalize();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    // The remainder is less than a u16.
    u16::try_from(number % u64::from(partitions.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(event: &str) -> u16 {
        partition_of("main", event.as_bytes(), 64)
    }

    #[test]
    fn a_user_has_one_partition_before_and_after_the_login() {
        let before = partition(r#"{"type":"track","anonymousId":"a1","event":"E"}"#);
        assert_eq!(partition(r#"{"type":"identify","userId":"u1","anonymousId":"a1"}"#), before);
        assert_ne!(
            partition(r#"{"type":"track","userId":"u1","event":"E"}"#),
            before,
            "64 partitions: they differ here"
        );
    }

    #[test]
    fn the_place_of_a_user_never_changes() {
        // Events of an earlier version wait in these places.
        for (event, expected) in [
            (r#"{"userId":"u1"}"#, 41),
            (r#"{"userId":"u2"}"#, 37),
            (r#"{"anonymousId":"a1","userId":"u2"}"#, 39),
            ("{}", 61),
            ("no event", 61),
        ] {
            assert_eq!(partition(event), expected, "{event}");
        }
    }

    #[test]
    fn users_are_spread_evenly() {
        let mut counts = [0_u32; 16];
        for user in 0..16_000 {
            counts[usize::from(partition_of("main", format!(r#"{{"userId":"{user}"}}"#).as_bytes(), 16))] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
