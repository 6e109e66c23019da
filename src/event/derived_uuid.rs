//! UUIDs that are derived from a message id: the same in every attempt, at every destination, in every process.

use uuid::{Uuid, uuid};

/// The namespace of message ids that are not UUIDs. It never changes.
const NAMESPACE: Uuid = uuid!("6f0c1d3e-5a1b-5c0e-9a53-7472616b6c6e");

/// Returns the UUID of an event, for a destination that takes no other ids. That is the `messageId` itself if it is a
/// UUID, otherwise its UUIDv5 (RFC 9562) in a namespace that never changes. So an event has the same id everywhere, and
/// can be joined across vendors.
///
/// ```
/// use tracklane::event::message_uuid;
///
/// let made = message_uuid("0A1801FD-3e68-49f8-a7ae-d4ab629a3c20");
/// assert_eq!(made, "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20");
/// assert_eq!(message_uuid("ajs-next-1:2"), message_uuid("ajs-next-1:2"));
/// ```
#[must_use]
pub fn message_uuid(message_id: &str) -> String {
    of(message_id).hyphenated().to_string()
}

/// Returns the UUID of a part of an event, such as the product number `part` of an order, for a destination where each
/// part is an event. It is the UUIDv5 of the number in decimal, in the namespace of [`message_uuid`].
#[must_use]
pub fn part_uuid(message_id: &str, part: usize) -> String {
    Uuid::new_v5(&of(message_id), part.to_string().as_bytes()).hyphenated().to_string()
}

fn of(message_id: &str) -> Uuid {
    // Only the hyphenated form: 32 hexadecimal digits may be another kind of id.
    let is_hyphenated = message_id.len() == uuid::fmt::Hyphenated::LENGTH;
    let parsed = if is_hyphenated { Uuid::try_parse(message_id).ok().filter(|uuid| !uuid.is_nil()) } else { None };
    parsed.unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, message_id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_that_is_a_uuid_stays_and_another_becomes_always_the_same() {
        // Computed with Python: uuid.uuid5(uuid.UUID("6f0c1d3e-5a1b-5c0e-9a53-7472616b6c6e"), id).
        let table = [
            ("0a1801fd-3e68-49f8-a7ae-d4ab629a3c20", "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20"),
            ("0A1801FD-3E68-49F8-A7AE-D4AB629A3C20", "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20"),
            ("m", "b895da37-9fe9-5719-ba3e-1aab3cb9f9f2"),
            ("ajs-next-1690000000:abc_def/1", "1e48e95d-c93e-5a51-8e40-17bc1efd42be"),
            ("", "dc9ca9e6-b748-58d6-9c16-31954ee64d32"),
            ("00000000-0000-0000-0000-000000000000", "30f04a28-22a3-519c-a9d7-9f9b6de73146"),
            ("0a1801fd3e6849f8a7aed4ab629a3c20", "6cfbdfd7-6b5d-55d5-b3b1-6d2bb94ac514"),
            ("ä", "a27f314c-3308-5eba-ab4e-28cc100f92eb"),
        ];
        for (id, expected) in table {
            assert_eq!(message_uuid(id), expected, "{id:?}");
        }
    }

    #[test]
    fn parts_have_ids_of_their_own() {
        let ids = ["m", "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20"];
        let made: HashSet<String> = ids.iter().flat_map(|id| (0..3).map(|part| part_uuid(id, part))).collect();
        assert_eq!(made.len(), 6);
        assert!(ids.iter().all(|id| !made.contains(&message_uuid(id))));
        assert_eq!(part_uuid("m", 1), "79bea94e-b43c-5529-8095-b4140c8513fa");
    }
}
