//! A file that the spool finds when it starts. Its decoder is private to its crate, and does no I/O, so its file is built
//! in here; the plain tests of the same thing are in that file.

#![no_main]

use tracklane::Event;

#[path = "../../plugins/spool/src/frame.rs"]
mod frame;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // As it is, and with a header that fits, which no fuzzer guesses.
    check(data);
    check(&frame::encode(std::iter::once(data)));
});

fn check(file: &[u8]) {
    let Ok(frame::Contents { lines, events, unreadable }) = frame::decode(file) else { return };
    assert!(!events.is_empty() || !unreadable.is_empty(), "a file of ours holds lines");
    assert_eq!(lines, events.len() + unreadable.len(), "each line is an event or cannot be read");
    let found = frame::lines(file);
    for (at, event) in &events {
        let line = found.get(*at).expect("the place of an event is that of its line");
        let read: Event = serde_json::from_slice(line).expect("the line is an event");
        assert_eq!(read.message_id(), event.message_id(), "the line is that event");
    }
    let written = json(&events);
    if written.is_empty() {
        return;
    }
    let again = frame::decode(&frame::encode(written.iter().map(Vec::as_slice))).expect("what is written can be read");
    assert!(again.unreadable.is_empty(), "what is written is an event");
    assert_eq!(json(&again.events), written, "every event comes back as it was");
    let ids =
        |events: &[(usize, Event)]| events.iter().map(|(_, event)| event.message_id().into_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&again.events), ids(&events));
}

fn json(events: &[(usize, Event)]) -> Vec<Vec<u8>> {
    events.iter().map(|(_, event)| serde_json::to_vec(event).expect("an event can be written")).collect()
}
