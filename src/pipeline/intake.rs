//! The bounded queue between callers and the pipeline.
//!
//! Always: a call takes one short lock, does no I/O and allocates only when a chunk is full. The worker is woken
//! when it has been idle for a while, or when much has come in; otherwise it looks by itself every few milliseconds,
//! because waking a sleeping thread is a system call that costs the caller more than everything else it does here.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::call_context::CallContext;
use super::refusal::{CallError, RefusedBecause};
use super::registry::Command;
use super::rest::WorkerIs;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, Failure};
use crate::event::{self, Context, Event, InvalidField, MAX_EVENT_BYTES, Record};
use crate::ledger::{DropReason, Ledger, Outcome, Ticket, Watch};
use crate::reentry;

/// Bytes of events that one chunk holds.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks kept for reuse.
const SPARE_CHUNKS: usize = 4;
/// Chunks that wake a worker which sleeps until its next look.
const WAKE_AT_CHUNKS: usize = 4;

/// How much may be under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Whether the oldest gives way, in the destination's queue, rather than the new one being refused here.
    pub(crate) drops_oldest: bool,
    /// Whether every event ends here, counted and not sent.
    pub(crate) disabled: bool,
}

pub(crate) struct Intake {
    front: Mutex<Front>,
    wake: Notify,
    refusing: AtomicBool,
    /// A loop was cut, and reported.
    looped: AtomicBool,
    capacity: Capacity,
    ledger: Arc<Ledger>,
    emitter: Emitter,
    clock: Clock,
    defaults: Context,
    call_context: Option<CallContext>,
}

/// What the lock guards: in cache lines that callers touch, and the pipeline hardly.
#[repr(align(128))]
struct Front {
    /// Older than what is filling.
    full: VecDeque<Chunk>,
    filling: Chunk,
    spare: Vec<Chunk>,
    epoch: u64,
    closed: bool,
    worker: WorkerIs,
}

/// Events one behind the other, with commands among them.
#[derive(Default)]
pub(super) struct Chunk {
    text: Vec<u8>,
    entries: VecDeque<Entry>,
    /// Where the next event to be taken begins.
    read: usize,
}

enum Entry {
    Event(Packed),
    Command(Box<Command>),
}

struct Packed {
    record: Record,
    bytes: u32,
    depth: u8,
    epoch: u64,
    watch: Option<Box<Watch>>,
}

/// What the worker takes out.
pub(super) enum Taken {
    Event(Event),
    Command(Box<Command>),
}

impl Intake {
    pub(crate) fn new(
        capacity: Capacity,
        ledger: Arc<Ledger>,
        emitter: Emitter,
        clock: Clock,
        defaults: Context,
        call_context: Option<CallContext>,
    ) -> Self {
        let front = Front {
            full: VecDeque::new(),
            filling: Chunk::default(),
            spare: Vec::new(),
            epoch: 0,
            closed: false,
            worker: WorkerIs::Awake,
        };
        let (front, wake) = (Mutex::new(front), Notify::new());
        let (refusing, looped) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { front, wake, refusing, looped, capacity, ledger, emitter, clock, defaults, call_context }
    }

    /// Accepts the event or refuses it. Never blocks.
    pub(crate) fn push(&self, event: impl Into<Event>) -> Result<(), CallError> {
        self.try_push(event.into()).map_err(|(because, event)| self.refuse(because, event))
    }

    /// Accepts the event or refuses it, after waiting for room.
    pub(crate) async fn push_when_room(&self, event: Event) -> Result<(), CallError> {
        let mut event = event;
        loop {
            let freed = self.ledger.room.freed();
            event = *match self.try_push(event) {
                Ok(()) => return Ok(()),
                Err((RefusedBecause::QueueFull { .. }, event)) => event,
                Err((because, event)) => return Err(self.refuse(because, event)),
            };
            freed.await;
        }
    }

    fn try_push(&self, mut event: Event) -> Result<(), (RefusedBecause, Box<Event>)> {
        let bytes = match self.check(&mut event) {
            Ok(bytes) => bytes,
            Err(because) => return Err((because, Box::new(event))),
        };
        let mut front = self.front();
        if let Err(because) = self.accept(&front, bytes) {
            drop(front);
            return Err((because, Box::new(event)));
        }
        let watch = event.detach().watch;
        let epoch = front.epoch;
        if self.capacity.disabled {
            drop(front);
            event.make_message_id();
            let ticket = self.ticket(&event, epoch, bytes, reentry::depth(), watch);
            ticket.settle(Outcome::Dropped(DropReason::Disabled));
            return Ok(());
        }
        let chunk = front.chunk_for(bytes as usize);
        let record = Record::pack(&mut event, &mut chunk.text);
        chunk.entries.push_back(Entry::Event(Packed { record, bytes, depth: reentry::depth(), epoch, watch }));
        let wake = front.wakes_worker(false);
        drop(front);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Accepts an event that goes straight into the pipeline, not through the queue.
    pub(super) fn admit(&self, mut event: Event) -> Result<Event, CallError> {
        let bytes = match self.check(&mut event) {
            Ok(bytes) => bytes,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        let front = self.front();
        if let Err(because) = self.accept(&front, bytes) {
            drop(front);
            return Err(self.refuse(because, Box::new(event)));
        }
        let epoch = front.epoch;
        drop(front);
        let watch = event.detach().watch;
        event.make_message_id();
        event.attached.ticket = Some(self.ticket(&event, epoch, bytes, reentry::depth(), watch));
        Ok(event)
    }

    /// Puts a command behind what was accepted so far.
    pub(crate) fn command(&self, command: Command) {
        let mut front = self.front();
        front.chunk_for(0).entries.push_back(Entry::Command(Box::new(command)));
        let wake = front.wakes_worker(true);
        drop(front);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Begins a flush of everything that was accepted so far. Returns its number in the ledger.
    pub(super) fn begin_flush(&self) -> u64 {
        let mut front = self.front();
        let flush = self.ledger.begin_flush(front.epoch);
        front.epoch += 1;
        drop(front);
        self.command(Command::Flush);
        flush
    }

    /// Refuses every call from now on. Whether this call closed it.
    pub(super) fn close(&self) -> bool {
        let first = !std::mem::replace(&mut self.front().closed, true);
        // Whoever waits for room is refused now.
        self.ledger.room.wake();
        first
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.capacity.disabled
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.front().closed
    }

    /// Whether another event of `bytes` would be accepted now.
    fn accept(&self, front: &Front, bytes: u32) -> Result<(), RefusedBecause> {
        if front.closed {
            return Err(RefusedBecause::Closed);
        }
        let room = &self.ledger.room;
        let Capacity { events: max_events, bytes: max_bytes, drops_oldest, .. } = self.capacity;
        let (events, used) = if drops_oldest { room.used_before_destinations() } else { room.used() };
        if events >= max_events || used + u64::from(bytes) > max_bytes {
            return Err(RefusedBecause::QueueFull { events, bytes: used, max_events, max_bytes });
        }
        self.ledger.accept(bytes);
        if self.refusing.load(Ordering::Relaxed) {
            self.refusing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Checks the event and completes it. Returns how large its JSON will be.
    fn check(&self, event: &mut Event) -> Result<u32, RefusedBecause> {
        if reentry::depth() >= reentry::LIMIT {
            return Err(RefusedBecause::Loop);
        }
        event::check(event).map_err(RefusedBecause::Invalid)?;
        if let Some(provider) = &self.call_context {
            provider.add_to(event, &self.emitter);
        }
        event.stamp(|| self.clock.wall().into());
        match event.final_len(&self.defaults) {
            bytes if bytes > MAX_EVENT_BYTES => Err(RefusedBecause::Invalid(InvalidField::TooLarge { bytes })),
            bytes => Ok(u32::try_from(bytes).unwrap_or(u32::MAX)),
        }
    }

    #[cold]
    fn refuse(&self, because: RefusedBecause, event: Box<Event>) -> CallError {
        self.ledger.refuse();
        // Whoever listens is called because of this call, even though it was refused.
        let _scope = reentry::because_of(reentry::depth());
        match because {
            RefusedBecause::Closed => self.emitter.emit(Emitted::CallAfterClose(Event::clone(&event))),
            // One report until the next call is accepted, not one per call.
            RefusedBecause::QueueFull { .. } if !self.refusing.swap(true, Ordering::Relaxed) => {
                self.emitter.fail(Failure::new("tracklane", because.to_string(), 1));
            }
            RefusedBecause::Loop if !self.looped.swap(true, Ordering::Relaxed) => {
                self.emitter.fail(Failure::new("tracklane", because.to_string(), 1));
            }
            RefusedBecause::QueueFull { .. } | RefusedBecause::Invalid(_) | RefusedBecause::Loop => {}
        }
        CallError { because, event }
    }

    /// The oldest chunk, for the worker. `done` goes back to be used again.
    pub(super) fn take(&self, done: Option<Chunk>) -> Option<Chunk> {
        let mut front = self.front();
        front.worker.looks();
        if let Some(mut chunk) = done
            && front.spare.len() < SPARE_CHUNKS
            && chunk.text.capacity() <= 2 * CHUNK_BYTES
        {
            chunk.text.clear();
            chunk.read = 0;
            front.spare.push(chunk);
        }
        front.pop()
    }

    /// The oldest chunk, for anybody else: the worker, which may be asleep, is not taken for awake.
    pub(super) fn take_away(&self) -> Option<Chunk> {
        self.front().pop()
    }

    /// Waits until there may be something to take: until `doze` has passed, or, without it, until it is woken.
    pub(super) async fn wait(&self, doze: Option<Duration>) {
        {
            let mut front = self.front();
            if !front.is_empty() {
                return;
            }
            front.worker.rests(doze.is_some());
        }
        match doze {
            None => self.wake.notified().await,
            // Real time, whatever the client's clock: this is how soon calls are noticed, not when anything is due.
            Some(doze) => {
                let _ = tokio::time::timeout(doze, self.wake.notified()).await;
            }
        }
    }

    /// Takes out one entry; `None` when the chunk is empty.
    pub(super) fn next(&self, chunk: &mut Chunk) -> Option<Taken> {
        let Packed { record, bytes, depth, epoch, watch } = match chunk.entries.pop_front()? {
            Entry::Event(packed) => packed,
            Entry::Command(command) => return Some(Taken::Command(command)),
        };
        let mut rest = chunk.text.get(chunk.read..).unwrap_or_default();
        let before = rest.len();
        let mut event = record.unpack(&mut rest);
        chunk.read += before - rest.len();
        event.attached.ticket = Some(self.ticket(&event, epoch, bytes, depth, watch));
        Some(Taken::Event(event))
    }

    fn ticket(&self, event: &Event, epoch: u64, bytes: u32, depth: u8, mut watch: Option<Box<Watch>>) -> Ticket {
        if let Some(watch) = &mut watch {
            // Known from here on, wherever the event ends.
            watch.message_id = event.message_id().into_owned();
        }
        Ticket::new(self.ledger.clone(), epoch, bytes, depth, watch)
    }

    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Front {
    /// The chunk that takes the next entry, of at most `bytes`.
    fn chunk_for(&mut self, bytes: usize) -> &mut Chunk {
        if self.filling.text.len() + bytes > CHUNK_BYTES && !self.filling.entries.is_empty() {
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
        })
    }

    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.entries.is_empty()
    }

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

    /// Whether the worker must be woken for what was just put in; it counts as awake then.
    fn wakes_worker(&mut self, urgent: bool) -> bool {
        let much = self.full.len() >= WAKE_AT_CHUNKS;
        self.worker.must_wake(urgent || much)
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
