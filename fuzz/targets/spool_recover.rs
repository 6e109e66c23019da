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
    let Ok(frame::Contents { events, unreadable }) = frame::decode(file) else { return };
    assert!(!events.is_empty() || !unreadable.is_empty(), "a file of ours holds lines");
    let written = json(&events);
    if written.is_empty() {
        return;
    }
    let again = frame::decode(&frame::encode(written.iter().map(Vec::as_slice))).expect("what is written can be read");
    assert!(again.unreadable.is_empty(), "what is written is an event");
    assert_eq!(json(&again.events), written, "every event comes back as it was");
    assert!(again.events.iter().map(Event::message_id).eq(events.iter().map(Event::message_id)));
}

fn json(events: &[Event]) -> Vec<Vec<u8>> {
    events.iter().map(|event| serde_json::to_vec(event).expect("an event can be written")).collect()
}
