//! The state under the intake's lock: what waits, and what the worker is doing.
//!
//! Invariant: events and commands leave in the order in which they came. Events lie flat in chunks. Chunks are reused,
//! so nothing is allocated while events flow.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Command;
use super::handover::{Piece, Pieces};
use super::worker_state::WorkerState;
use crate::event::{Event, PackedEvent, PackedEvents};
use crate::ledger::{Ledger, Observers, Ticket};
use crate::random::Uuids;
use crate::refusal::RefusalReason;

/// Bytes of events that one chunk holds.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks kept for reuse.
const SPARE_CHUNKS: usize = 4;

/// Aligned to cache lines, because callers touch it all the time and the pipeline hardly.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct QueueState {
    /// Full chunks, older than the one that is being filled.
    full: VecDeque<Chunk>,
    filling: Chunk,
    spare: Vec<Chunk>,
    /// The number of flushes that have begun.
    pub(super) epoch: u64,
    pub(super) closed: bool,
    /// The worker has ended or was told to: it takes nothing that comes later.
    pub(super) ended: bool,
    /// The worker has ended without being told to, together with its runtime.
    pub(super) orphaned: bool,
    pub(super) worker: WorkerState,
    /// How much may be accepted before the ledger is asked again how much is under way.
    pub(super) credit: Credit,
}

/// The events and bytes that were free when it was last looked up. There may be more by now.
#[derive(Clone, Copy, Default)]
pub(super) struct Credit {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

/// Events one behind the other, with commands among them.
#[derive(Default)]
pub(super) struct Chunk {
    text: Vec<u8>,
    entries: VecDeque<Entry>,
    /// Where the next event begins.
    read: usize,
    /// The ids of the events that are left, from the first that is taken.
    ids: Uuids,
}

pub(super) enum Entry<E = PackedEvent> {
    Event(E, Accepted),
    Command(Box<Command>),
}

/// What is known of an accepted event besides its content.
pub(super) struct Accepted {
    pub(super) bytes: u32,
    pub(super) depth: u8,
    pub(super) epoch: u64,
    pub(super) watch: Option<Box<Observers>>,
}

impl Accepted {
    pub(super) fn into_ticket(self, ledger: Arc<Ledger>) -> Ticket {
        let Self { bytes, depth, epoch, watch } = self;
        Ticket::new(ledger, epoch, bytes, depth, watch)
    }
}

impl QueueState {
    /// Puts an event last. Returns whether the worker must be woken.
    pub(super) fn put(&mut self, event: &Event, accepted: Accepted) -> bool {
        let bytes = accepted.bytes;
        let chunk = self.chunk_for(bytes);
        let record = PackedEvent::pack(event, &mut chunk.text);
        chunk.entries.push_back(Entry::Event(record, accepted));
        self.worker.wakes_for_event(bytes as usize)
    }

    /// Puts a command last. Returns whether the worker must be woken.
    pub(super) fn put_command(&mut self, command: Command) -> bool {
        self.chunk_for(0).entries.push_back(Entry::Command(Box::new(command)));
        self.worker.wakes()
    }

    /// Returns the chunk for the next entry, which has at most `bytes`.
    fn chunk_for(&mut self, bytes: u32) -> &mut Chunk {
        if self.filling.text.len() + bytes as usize > CHUNK_BYTES && !self.filling.entries.is_empty() {
            let fresh = self.fresh_chunk();
            self.full.push_back(std::mem::replace(&mut self.filling, fresh));
        }
        &mut self.filling
    }

    fn fresh_chunk(&mut self) -> Chunk {
        self.spare.pop().unwrap_or_else(|| Chunk {
            text: Vec::with_capacity(CHUNK_BYTES),
            entries: VecDeque::with_capacity(CHUNK_BYTES / 512),
            read: 0,
            ids: Uuids::default(),
        })
    }

    /// Returns why calls are refused for good.
    pub(super) fn closed_because(&self) -> RefusalReason {
        if self.orphaned { RefusalReason::RuntimeEnded } else { RefusalReason::Closed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.entries.is_empty()
    }
}

impl Pieces for QueueState {
    type Piece = Chunk;

    fn pop(&mut self) -> Option<Chunk> {
        if let Some(oldest) = self.full.pop_front() {
            return Some(oldest);
        }
        if self.filling.entries.is_empty() {
            return None;
        }
        let fresh = self.fresh_chunk();
        Some(std::mem::replace(&mut self.filling, fresh))
    }

    fn keep(&mut self, mut chunk: Chunk) {
        if self.spare.len() < SPARE_CHUNKS && chunk.text.capacity() <= 2 * CHUNK_BYTES {
            chunk.text.clear();
            chunk.read = 0;
            chunk.ids.clear();
            self.spare.push(chunk);
        }
    }
}

impl Piece for Chunk {
    type Entry = Entry<Event>;

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn next(&mut self) -> Option<Entry<Event>> {
        let (record, accepted) = match self.entries.pop_front()? {
            Entry::Event(record, accepted) => (record, accepted),
            Entry::Command(command) => return Some(Entry::Command(command)),
        };
        let mut rest = self.text.get(self.read..).unwrap_or_default();
        let before = rest.len();
        let wanted = self.entries.len() + 1;
        let event = record.unpack(&mut rest, || self.ids.next(wanted));
        self.read += before - rest.len();
        Some(Entry::Event(event, accepted))
    }
}

impl Chunk {
    /// Packs the events as they lie here. Calls `each` with what else is known of each event, with its id if somebody
    /// watches it, and `command` with each command.
    pub(super) fn pack(self, mut each: impl FnMut(Accepted), mut command: impl FnMut(Box<Command>)) -> PackedEvents {
        let Self { text, entries, read, mut ids } = self;
        let mut packed = PackedEvents::new(text, read, entries.len());
        let mut left = entries.len();
        for entry in entries {
            match entry {
                Entry::Event(record, mut accepted) => {
                    packed.push(record, || ids.next(left));
                    if let Some(watch) = &mut accepted.watch {
                        watch.message_id = packed.last_message_id();
                    }
                    each(accepted);
                }
                Entry::Command(boxed) => command(boxed),
            }
            left -= 1;
        }
        packed
    }
}
