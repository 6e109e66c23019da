//! The notes that wait to be sent: bounded, and the oldest are removed first.
//!
//! Invariant: no user code runs under the lock. A note holds text and numbers only.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::note::Note;

/// The largest size of all notes that wait, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Both sides of the queue.
#[derive(Default)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    notes: VecDeque<Note>,
    bytes: usize,
    missed: u64,
    is_closed: bool,
}

/// Notes that were taken out together.
pub(super) struct Taken {
    pub(super) notes: Vec<Note>,
    /// The number of events whose notes were removed or lost since the last time.
    pub(super) missed: u64,
    /// Set if no note will come any more.
    pub(super) is_closed: bool,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, note: Note) {
        let gone = self.queue().push(note);
        drop(gone);
        self.changed.notify_one();
    }

    /// Ends the queue: no note will come any more.
    pub(super) fn close(&self) {
        self.queue().is_closed = true;
        self.changed.notify_one();
    }

    /// Counts events whose notes were lost on the way.
    pub(super) fn miss(&self, events: u64) {
        self.queue().missed += events;
    }

    /// Waits for notes, and takes those of about so many events.
    pub(super) async fn take(&self, events: usize) -> Taken {
        loop {
            let taken = self.queue().take(events);
            if taken.is_closed || !taken.notes.is_empty() {
                return taken;
            }
            self.changed.notified().await;
        }
    }
}

impl Queue {
    /// Adds a note. Returns those that were removed for it.
    fn push(&mut self, note: Note) -> Vec<Note> {
        self.bytes += note.bytes();
        self.notes.push_back(note);
        let mut gone = Vec::new();
        while self.bytes > MAX_BYTES && self.notes.len() > 1 {
            let Some(oldest) = self.notes.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.missed += oldest.events() as u64;
            gone.push(oldest);
        }
        gone
    }

    fn take(&mut self, events: usize) -> Taken {
        let (mut notes, mut count) = (Vec::new(), 0);
        while count < events
            && let Some(note) = self.notes.pop_front()
        {
            self.bytes -= note.bytes();
            count += note.events();
            notes.push(note);
        }
        let is_closed = self.is_closed && notes.is_empty();
        // Losses are reported with the next notes.
        let missed = if notes.is_empty() { 0 } else { std::mem::take(&mut self.missed) };
        Taken { notes, missed, is_closed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspector::note::{End, Stop};
    use crate::ledger::DropReason;

    fn note(id: usize, bytes: usize) -> Note {
        let end = End { reason: DropReason::Internal, event: Some(vec![b' '; bytes]) };
        Note::Stop(Stop { message_id: id.to_string(), why: None, end })
    }

    fn ids(notes: &[Note]) -> Vec<&str> {
        let stops = notes.iter().filter_map(|note| if let Note::Stop(stop) = note { Some(stop) } else { None });
        stops.map(|stop| stop.message_id.as_str()).collect()
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let mut queue = Queue::default();
        for id in 0..5 {
            let gone = queue.push(note(id, MAX_BYTES / 3));
            assert!(queue.bytes <= MAX_BYTES, "{}", queue.bytes);
            assert_eq!(gone.len(), usize::from(id >= 2), "note {id}");
        }
        let taken = queue.take(10);
        assert_eq!((ids(&taken.notes), taken.missed), (vec!["3", "4"], 3));
        assert_eq!(queue.bytes, 0);
        queue.push(note(9, 1));
        assert_eq!(queue.take(1).missed, 0, "what is missed is said once");
    }

    #[test]
    fn one_note_that_is_larger_than_all_room_is_told() {
        let mut queue = Queue::default();
        queue.push(note(1, 1));
        queue.push(note(2, MAX_BYTES * 2));
        assert_eq!(ids(&queue.take(9).notes), ["2"]);
    }

    #[test]
    fn what_is_left_is_taken_before_the_end() {
        let mut queue = Queue::default();
        queue.push(note(1, 1));
        queue.is_closed = true;
        assert!(!queue.take(1).is_closed);
        assert!(queue.take(1).is_closed);
    }
}
