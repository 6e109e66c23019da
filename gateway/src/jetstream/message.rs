//! Messages of the log: many events of one partition in each, a line of JSON for each event.
//!
//! Invariant: an event is in one message. The messages of a partition, one after the other, have its events in the order
//! of the batch. Messages with the same events have the same id, by which JetStream recognises a repeat.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tracklane_spool::DeadLetter;

use super::partition::partition_of;

/// The format of a message, for readers of the stream.
pub(super) const FORMAT_HEADER: &str = "Tracklane-Format";
/// One event in JSON a line, as Segment's tracking API has it.
pub(super) const FORMAT: &str = "events/1";
/// A dead letter, in JSON.
pub(super) const DEAD_FORMAT: &str = "dead/1";
/// The destination that is meant, and no other.
pub(crate) const DESTINATION_HEADER: &str = "Tracklane-Destination";
/// The number of events in a message.
pub(super) const COUNT_HEADER: &str = "Tracklane-Events";
/// The most bytes of a message, except for a single event. JetStream does not write larger ones faster.
const MAX_BYTES: usize = 256 << 10;
/// Bytes of the headers at most.
const HEADERS: usize = 1 << 10;

/// Events that go into a stream together.
#[derive(Debug, Default)]
pub(super) struct LogMessage {
    /// Their places in the batch.
    pub(super) events: Vec<usize>,
    payload: Vec<u8>,
}

/// Cuts a batch into messages, for each partition in their order. `max_payload` is the server's limit.
pub(super) fn messages<'e>(
    pipeline: &str,
    partitions: u16,
    max_payload: usize,
    events: impl Iterator<Item = &'e [u8]>,
) -> BTreeMap<u16, Vec<LogMessage>> {
    let max_bytes = MAX_BYTES.min(max_payload.saturating_sub(HEADERS));
    let mut messages: BTreeMap<u16, Vec<LogMessage>> = BTreeMap::new();
    for (place, event) in events.enumerate() {
        let of_partition = messages.entry(partition_of(pipeline, event, partitions)).or_default();
        match of_partition.last_mut() {
            Some(last) if last.payload.len() + event.len() < max_bytes => last.add(place, event),
            _ => {
                let mut message = LogMessage::default();
                message.add(place, event);
                of_partition.push(message);
            }
        }
    }
    messages
}

impl LogMessage {
    fn add(&mut self, place: usize, event: &[u8]) {
        self.events.push(place);
        self.payload.extend_from_slice(event);
        self.payload.push(b'\n');
    }

    /// Returns the message for publishing, for this stream only.
    pub(super) fn into_publish(self, stream: &str) -> PublishMessage {
        let id = id_of(&self.payload);
        PublishMessage::build()
            .header(FORMAT_HEADER, FORMAT)
            .header(COUNT_HEADER, self.events.len().to_string().as_str())
            .message_id(id)
            .expected_stream(stream)
            .payload(Bytes::from(self.payload))
    }
}

/// An event that a destination refused, with the reason.
pub(crate) struct DeadMessage<'l> {
    pub(crate) pipeline: &'l str,
    /// `None` if it is no event for any.
    pub(crate) destination: Option<&'l str>,
    /// The event's line in the log.
    pub(crate) event: &'l [u8],
    pub(crate) letter: &'l DeadLetter,
}

impl DeadMessage<'_> {
    /// Returns the message for publishing. The same event for the same destination twice in a row is a repeat.
    pub(super) fn into_publish(self, stream: &str) -> PublishMessage {
        let destination = self.destination.unwrap_or_default();
        let id = id_of(&[destination.as_bytes(), b"\0", self.event].concat());
        let mut message = PublishMessage::build().header(FORMAT_HEADER, DEAD_FORMAT).message_id(id);
        if let Some(destination) = self.destination {
            message = message.header(DESTINATION_HEADER, destination);
        }
        // A letter is made of texts alone, which always become JSON.
        let letter = serde_json::to_vec(self.letter).unwrap_or_default();
        message.expected_stream(stream).payload(Bytes::from(letter))
    }
}

/// Events that wait apart for one destination.
pub(crate) struct ParkedMessage<'l> {
    pub(crate) pipeline: &'l str,
    pub(crate) destination: &'l str,
    /// Their lines in the log.
    pub(crate) events: Vec<&'l [u8]>,
}

impl ParkedMessage<'_> {
    pub(super) fn into_publish(self, stream: &str) -> PublishMessage {
        let mut message = LogMessage::default();
        self.events.iter().enumerate().for_each(|(place, event)| message.add(place, event));
        message.into_publish(stream).header(DESTINATION_HEADER, self.destination)
    }
}

/// Returns 128 bits of the hash of the message.
fn id_of(payload: &[u8]) -> String {
    let hash = Sha256::digest(payload);
    hash.iter().take(16).fold(String::with_capacity(32), |mut id, byte| {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: usize, number: usize) -> String {
        format!(r#"{{"type":"track","userId":"u{user}","event":"E{number}"}}"#)
    }

    fn cut(events: &[String], partitions: u16, max_payload: usize) -> BTreeMap<u16, Vec<LogMessage>> {
        messages("main", partitions, max_payload, events.iter().map(String::as_bytes))
    }

    #[test]
    fn every_event_is_in_one_message_in_its_order() {
        let events: Vec<String> = (0..500).map(|number| event(number % 7, number)).collect();
        for (partitions, max_payload) in [(1, 1 << 20), (4, 1 << 20), (4, HEADERS + 300), (64, HEADERS)] {
            let cut = cut(&events, partitions, max_payload);
            let mut seen = vec![0; events.len()];
            for (partition, messages) in &cut {
                let places: Vec<usize> = messages.iter().flat_map(|message| message.events.clone()).collect();
                assert!(places.is_sorted(), "{places:?}");
                let lines: Vec<u8> = messages.iter().flat_map(|message| message.payload.clone()).collect();
                let expected: String = places.iter().map(|place| format!("{}\n", events[*place])).collect();
                assert_eq!(String::from_utf8(lines).unwrap(), expected);
                for place in places {
                    assert_eq!(partition_of("main", events[place].as_bytes(), partitions), *partition);
                    seen[place] += 1;
                }
            }
            assert_eq!(seen, vec![1; events.len()]);
        }
    }

    #[test]
    fn a_message_has_at_most_what_the_server_takes_or_one_event() {
        let events: Vec<String> = (0..100).map(|number| event(1, number)).collect();
        for message in cut(&events, 1, HEADERS + 300).values().flatten() {
            assert!(message.payload.len() <= 300, "{}", message.payload.len());
        }
        let large = "x".repeat(5_000);
        let events = [event(1, 1), format!(r#"{{"userId":"u1","large":"{large}"}}"#), event(1, 2)];
        let cut = cut(&events, 1, HEADERS + 300);
        let places: Vec<_> = cut[&0].iter().map(|message| message.events.clone()).collect();
        assert_eq!(places, [vec![0], vec![1], vec![2]]);
    }

    #[test]
    fn a_repeat_has_the_same_id_and_nothing_else_has() {
        let id = |events: &[String]| id_of(&cut(events, 1, 1 << 20)[&0][0].payload);
        let (first, second) = (event(1, 1), event(1, 2));
        assert_eq!(id(&[first.clone(), second.clone()]), id(&[first.clone(), second.clone()]));
        assert_ne!(id(&[first.clone(), second.clone()]), id(&[second, first.clone()]));
        assert_eq!(id(&[first]).len(), 32);
    }
}
