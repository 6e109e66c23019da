//! What one file holds: a header line, then one event per line.
//!
//! ```text
//! tracklane-spool 1 <crc32 of the rest, 8 hex digits> <bytes of the rest, 10 digits>
//! {"type":"track","messageId":"…",…}
//! ```
//!
//! Always: a file either decodes to exactly the events that were encoded or is [`Damaged`]. The header is not parsed
//! but written anew from what follows it and compared, so there is one way only to write it. It does no I/O.

use tracklane::Event;

const NAME_AND_VERSION: &str = "tracklane-spool 1";
const HEADER_LEN: usize = NAME_AND_VERSION.len() + 1 + 8 + 1 + 10 + 1;

/// Why bytes are not a file of ours, or not any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damaged {
    #[error("it has {bytes} bytes, less than a header")]
    Truncated { bytes: usize },
    #[error("its header does not fit its contents")]
    Checksum,
    #[error("it holds what is not an event")]
    NotAnEvent(#[source] serde_json::Error),
    #[error("it holds an event without a messageId, which nobody could tell from its repetition")]
    NoMessageId,
    #[error("it holds no event")]
    Empty,
}

/// The file with these events, each as one JSON object.
pub(crate) fn encode<'a>(events: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = vec![0; HEADER_LEN];
    for event in events {
        file.extend_from_slice(event);
        file.push(b'\n');
    }
    let (header, payload) = file.split_at_mut(HEADER_LEN);
    header.copy_from_slice(&self::header(payload));
    file
}

/// The events of a file.
pub(crate) fn decode(file: &[u8]) -> Result<Vec<Event>, Damaged> {
    let Some((header, payload)) = file.split_at_checked(HEADER_LEN) else {
        return Err(Damaged::Truncated { bytes: file.len() });
    };
    if *header != self::header(payload) {
        return Err(Damaged::Checksum);
    }
    let events = serde_json::Deserializer::from_slice(payload).into_iter::<Event>();
    let events: Vec<Event> = events.collect::<Result<_, _>>().map_err(Damaged::NotAnEvent)?;
    if events.is_empty() {
        return Err(Damaged::Empty);
    }
    if events.iter().any(|event| event.message_id().is_empty()) {
        return Err(Damaged::NoMessageId);
    }
    Ok(events)
}

/// The header of `payload`. A payload whose length has more than ten digits is cut off in it, and so never decodes;
/// the store writes none of that size.
fn header(payload: &[u8]) -> [u8; HEADER_LEN] {
    let text = format!("{NAME_AND_VERSION} {:08x} {:010}\n", crc32fast::hash(payload), payload.len());
    let mut header = [0; HEADER_LEN];
    header.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &[u8] = br#"{"type":"track","messageId":"m-1","timestamp":"2026-01-02T03:04:05.678Z","event":"Tested","userId":"u1","properties":{"price":0.1,"text":"a\nb"}}"#;

    fn ids(events: &[Event]) -> Vec<String> {
        events.iter().map(|event| event.message_id().into_owned()).collect()
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let file = encode([EVENT, EVENT].into_iter());
        assert_eq!(ids(&decode(&file).unwrap()), ["m-1", "m-1"]);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                assert!(decode(&flipped).is_err(), "bit {bit} of byte {at}");
            }
            assert!(decode(&file[..at]).is_err(), "cut to {at} bytes");
        }
        assert!(decode(&[&file[..], b"\n"].concat()).is_err(), "a byte more");
    }

    #[test]
    fn a_whole_file_with_what_is_not_an_event_is_damaged() {
        for (payload, what) in [
            ("", "nothing"),
            ("{}", "no type"),
            ("[1,2]", "no object"),
            (r#"{"type":"track","event":"e","userId":"u"}"#, "no id"),
            ("\u{0}", "no JSON"),
        ] {
            let file = encode(std::iter::once(payload.as_bytes()));
            assert!(decode(&file).is_err(), "{what}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep = format!(r#"{{"type":"track","messageId":"m","properties":{{"a":{deep}}}}}"#);
        assert!(decode(&encode(std::iter::once(deep.as_bytes()))).is_err(), "deeper than any stack");
    }

    proptest! {
        /// Bytes that nobody wrote, with and without a header that fits: never a panic.
        #[test]
        fn whatever_bytes_are_decoded_or_damaged(payload in proptest::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(decode(&payload).is_err());
            let _ = decode(&encode(std::iter::once(&payload[..])));
        }

        /// JSON-like text comes further than random bytes.
        #[test]
        fn whatever_text_is_decoded_or_damaged(payload in r#"(\{|\}|\[|\]|"type":|"track"|"messageId":|"m"|"timestamp":|"x"|,|null|1e9|\n| ){0,40}"#) {
            let _ = decode(&encode(std::iter::once(payload.as_bytes())));
        }

        /// What is encoded comes back: ids, times, and numbers to the last bit.
        #[test]
        fn events_survive(
            id in "[a-z0-9-]{1,40}", text in "\\PC{0,40}", number in any::<f64>().prop_filter("JSON", |n| n.is_finite()),
            millis in 0_i64..4_000_000_000_000,
        ) {
            let event = Event::from(
                tracklane::Track::new("Tested").user_id("u1").message_id(&*id).property("text", &text)
                    .property("number", number).timestamp(tracklane::event::Timestamp::from_unix_millis(millis)),
            );
            let json = serde_json::to_vec(&event).unwrap();
            let back = decode(&encode(std::iter::once(&json[..]))).unwrap();
            prop_assert_eq!(&*back[0].message_id(), id);
            prop_assert_eq!(back[0].timestamp().unwrap().as_unix_millis(), millis);
            let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
            prop_assert_eq!(value(&serde_json::to_vec(&back[0]).unwrap()), value(&json));
        }
    }
}
