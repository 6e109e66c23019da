//! The format of a file: a header line, then one event per line.
//!
//! ```text
//! tracklane-spool 1 <crc32 of the rest, 8 hex digits> <bytes of the rest, 10 digits>
//! {"type":"track","messageId":"…",…}
//! ```
//!
//! Invariant: a file either decodes to exactly the events that were encoded or is [`Damaged`]. An event that cannot be
//! read is named and left out, never replaced by another or an empty one. The header is not parsed: it is computed from
//! the rest and compared, so it has one spelling. This file does no I/O.

use tracklane::Event;
use tracklane::event::{InvalidEvent, InvalidField};

const NAME_AND_VERSION: &str = "tracklane-spool 1";
const HEADER_LEN: usize = NAME_AND_VERSION.len() + 1 + 8 + 1 + 10 + 1;
/// Bytes of a `messageId` that are shown.
const SHOWN_BYTES: usize = 400;

/// The reason why bytes are not a file of a spool.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damaged {
    #[error("it has {bytes} bytes, less than a header")]
    Truncated { bytes: usize },
    #[error("its header does not fit its contents")]
    Checksum,
    #[error("it holds no event that can be read: {first}")]
    NoEvent { first: Unreadable },
    #[error("it holds no event")]
    Empty,
}

/// The reason why a line is not an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAnEvent {
    #[error(transparent)]
    Invalid(#[from] InvalidEvent),
    #[error(transparent)]
    Unwritable(#[from] InvalidField),
    #[error("it has no messageId, by which it could be told from its repetition")]
    NoMessageId,
}

/// The content of a file.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// How many lines there are.
    pub(crate) lines: usize,
    /// The events, each with its place among the lines.
    pub(crate) events: Vec<(usize, Event)>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A line that is no event.
#[derive(Debug, thiserror::Error)]
#[error("line {line} (messageId {id:?}) cannot be read: {why}")]
pub(crate) struct Unreadable {
    /// The line in an editor: the header is the first.
    line: usize,
    /// The id, as far as it can be found.
    id: String,
    why: NotAnEvent,
}

/// The file with these events, each as one JSON object.
pub(crate) fn encode<'a>(events: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = vec![0; HEADER_LEN];
    for event in events {
        let begin = file.len();
        file.extend_from_slice(event);
        // Outside of strings, where JSON has none, the end of a line is as good as a space. What the library writes has
        // none at all.
        if memchr::memchr2(b'\n', b'\r', event).is_some() {
            file.iter_mut().skip(begin).filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        file.push(b'\n');
    }
    let (header, payload) = file.split_at_mut(HEADER_LEN);
    header.copy_from_slice(&self::header(payload));
    file
}

/// The events of a file.
pub(crate) fn decode(file: &[u8]) -> Result<Contents, Damaged> {
    let mut contents = Contents::default();
    for (at, (number, line)) in numbered_lines(payload(file)?).enumerate() {
        contents.lines += 1;
        match event(line) {
            Ok(event) => contents.events.push((at, event)),
            Err(why) => contents.unreadable.push(Unreadable { line: number, id: message_id(line), why }),
        }
    }
    match contents.events.is_empty() {
        false => Ok(contents),
        true => Err(match contents.unreadable.into_iter().next() {
            Some(first) => Damaged::NoEvent { first },
            None => Damaged::Empty,
        }),
    }
}

/// The lines of a file, in the places that [`decode`] gives their events; of a damaged file none.
pub(crate) fn lines(file: &[u8]) -> Vec<&[u8]> {
    payload(file).map(|payload| numbered_lines(payload).map(|(_, line)| line).collect()).unwrap_or_default()
}

/// The rest of a file behind its header, if that fits it.
fn payload(file: &[u8]) -> Result<&[u8], Damaged> {
    let (header, payload) = file.split_at_checked(HEADER_LEN).ok_or(Damaged::Truncated { bytes: file.len() })?;
    if *header == self::header(payload) { Ok(payload) } else { Err(Damaged::Checksum) }
}

/// The lines that are not blank, each with its number in an editor: the header is the first.
fn numbered_lines(payload: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = payload.split(|byte| *byte == b'\n').enumerate().map(|(at, line)| (at + 2, line));
    lines.filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// The event that is written as this line.
pub(crate) fn event(line: &[u8]) -> Result<Event, NotAnEvent> {
    let event = Event::from_json(line)?;
    if event.message_id().is_empty() {
        return Err(NotAnEvent::NoMessageId);
    }
    event.check_sections()?;
    Ok(event)
}

/// The `messageId` in a line that is no event: the first, which is the event's own in every line that we write.
fn message_id(line: &[u8]) -> String {
    const KEY: &[u8] = br#""messageId":""#;
    let begin = line.windows(KEY.len()).position(|window| window == KEY).map(|at| at + KEY.len());
    let id = begin.and_then(|begin| line.get(begin..)).unwrap_or_default();
    let id = id.split(|byte| *byte == b'"').next().unwrap_or_default();
    String::from_utf8_lossy(id.get(..SHOWN_BYTES).unwrap_or(id)).into_owned()
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

    fn ids(contents: &Contents) -> Vec<String> {
        contents.events.iter().map(|(_, event)| event.message_id().into_owned()).collect()
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
        assert_eq!((lines(&file), lines(&file[1..]).len()), (vec![EVENT, EVENT], 0));
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

    /// The lines of a file around one that is to cost itself only.
    fn around(line: &[u8]) -> Contents {
        let file = encode([EVENT, line, EVENT].into_iter());
        decode(&file).unwrap_or_else(|damaged| panic!("{}: {damaged}", String::from_utf8_lossy(line)))
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_itself_and_is_named() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for value in [
            r#"{"$serde_json::private::RawValue":"v"}"#,
            r#"{"$serde_json::private::RawValue":"{}"}"#,
            r#"{"$serde_json::private::RawValue":1}"#,
            r#"{"$serde_json::private::RawValue":"{\"a\":1}"}"#,
            "1e999",
            r#""\ud800""#,
            "nul",
            &deep,
        ] {
            let line = format!(
                r#"{{"type":"track","messageId":"m-2","event":"e","userId":"u","properties":{{"a":{value}}}}}"#
            );
            let contents = around(line.as_bytes());
            assert_eq!(ids(&contents), ["m-1", "m-1"], "{value}");
            let places: Vec<usize> = contents.events.iter().map(|(at, _)| *at).collect();
            assert_eq!((places.as_slice(), contents.lines), (&[0, 2][..], 3), "{value}");
            let [unreadable] = &contents.unreadable[..] else { panic!("{value}: {:?}", contents.unreadable) };
            let said = unreadable.to_string();
            assert!(said.starts_with(r#"line 3 (messageId "m-2") cannot be read: "#), "{said}");
        }
        for section in ["properties", "context", "integrations"] {
            for value in [r#""text""#, "1", "true", "[1]"] {
                let line =
                    format!(r#"{{"type":"track","messageId":"m-2","event":"e","userId":"u","{section}":{value}}}"#);
                assert_eq!(around(line.as_bytes()).unreadable.len(), 1, "{line}");
            }
        }
        for line in ["{}", "[1,2]", r#"{"type":"track","event":"e","userId":"u"}"#, "\u{0}"] {
            assert_eq!(around(line.as_bytes()).unreadable.len(), 1, "{line:?}");
        }
    }

    #[test]
    fn a_text_that_speaks_of_serde_json_is_read_like_any_other() {
        for text in ["$serde_json::private::RawValue", "$$serde_json::private::", "$5 and $serde_json"] {
            let line = format!(
                r#"{{"type":"track","messageId":"m-2","event":"{text}","userId":"u","properties":{{"a":"{text}"}}}}"#
            );
            let contents = around(line.as_bytes());
            assert_eq!((ids(&contents).len(), contents.events[1].1.name().as_deref()), (3, Some(text)));
        }
    }

    #[test]
    fn an_event_with_ends_of_lines_between_its_values_is_one_line() {
        let contents = around(b"{\"type\":\"track\",\r\n\"messageId\":\"m-2\",\n\"event\":\"a\\nb\",\"userId\":\"u\"}");
        assert_eq!((ids(&contents)[1].as_str(), contents.events[1].1.name().as_deref()), ("m-2", Some("a\nb")));
    }

    proptest! {
        /// Random bytes, with and without a header that fits, never cause a panic.
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

        /// Encoded events decode unchanged: ids, times, and numbers to the last bit.
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
            let (_, back) = &back.events[0];
            prop_assert_eq!(&*back.message_id(), id);
            prop_assert_eq!(back.timestamp().unwrap().as_unix_millis(), millis);
            let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
            prop_assert_eq!(value(&serde_json::to_vec(back).unwrap()), value(&json));
        }
    }
}
