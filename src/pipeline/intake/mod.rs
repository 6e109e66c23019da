//! The bounded queue between callers and the pipeline.
//!
//! Always: a call takes one short lock, does no I/O and allocates only when a chunk is full. The worker is woken
//! when it has been idle for a while, or when much has come in; otherwise it looks by itself every few milliseconds,
//! because waking a sleeping thread is a system call that costs the caller more than everything else it does here.

mod front;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tokio::sync::Notify;

pub(super) use front::Chunk;
use front::{Accepted, Entry, Free, Front};

use super::call_context::CallContext;
use super::refusal::{CallError, RefusedBecause};
use super::registry::Command;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, Failure};
use crate::event::{self, Context, Event, InvalidField, MAX_EVENT_BYTES};
use crate::ledger::{DropReason, Ledger, Outcome, Ticket};
use crate::reentry;

/// Events that are accepted on the strength of one look at how much is under way.
const LOOK_EVERY: u64 = 128;

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
        let (front, wake) = (Mutex::default(), Notify::new());
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
        let (mut front, epoch) = match self.accept(bytes) {
            Ok(accepted) => accepted,
            Err(because) => return Err((because, Box::new(event))),
        };
        let accepted = Accepted { bytes, depth: reentry::depth(), epoch, watch: event.detach().watch };
        if self.capacity.disabled {
            drop(front);
            event.make_message_id();
            self.ticket(&event, accepted).settle(Outcome::Dropped(DropReason::Disabled));
            return Ok(());
        }
        let wake = front.put(&event, accepted);
        drop(front);
        if wake {
            self.wake.notify_one();
        }
        event.recycle();
        Ok(())
    }

    /// Accepts an event that goes straight into the pipeline, not through the queue.
    pub(super) fn admit(&self, mut event: Event) -> Result<Event, CallError> {
        let bytes = match self.check(&mut event) {
            Ok(bytes) => bytes,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        let (front, epoch) = match self.accept(bytes) {
            Ok(accepted) => accepted,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        drop(front);
        let accepted = Accepted { bytes, depth: reentry::depth(), epoch, watch: event.detach().watch };
        event.make_message_id();
        event.attached.ticket = Some(self.ticket(&event, accepted));
        Ok(event)
    }

    /// Puts a command behind what was accepted so far.
    pub(crate) fn command(&self, command: Command) {
        let wake = self.front().put_command(command);
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

    /// Counts another event of `bytes`, to be put into what is locked, or says why it is refused.
    fn accept(&self, bytes: u32) -> Result<(MutexGuard<'_, Front>, u64), RefusedBecause> {
        let mut front = self.front_of_call()?;
        if front.closed {
            return Err(RefusedBecause::Closed);
        }
        let weight = u64::from(bytes);
        if front.free.events == 0 || front.free.bytes < weight {
            front.free = self.look_up(weight)?;
        }
        front.free.events -= 1;
        front.free.bytes -= weight;
        self.ledger.accept(bytes);
        if self.refusing.load(Ordering::Relaxed) {
            self.refusing.store(false, Ordering::Relaxed);
        }
        let epoch = front.epoch;
        Ok((front, epoch))
    }

    /// The lock for a call. In a forked process whoever held it may be gone: nobody waits for it there. To find that
    /// out takes a system call, so only who would wait does it, and now and then [`look_up`](Self::look_up).
    fn front_of_call(&self) -> Result<MutexGuard<'_, Front>, RefusedBecause> {
        match self.front.try_lock() {
            Ok(front) => Ok(front),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if self.ledger.is_forked() => Err(RefusedBecause::Forked),
            Err(TryLockError::WouldBlock) => Ok(self.front()),
        }
    }

    /// How much can be accepted without another look, if it is enough for an event of `bytes`.
    #[cold]
    fn look_up(&self, bytes: u64) -> Result<Free, RefusedBecause> {
        if self.ledger.is_forked() {
            return Err(RefusedBecause::Forked);
        }
        let room = &self.ledger.room;
        let Capacity { events: max_events, bytes: max_bytes, drops_oldest, .. } = self.capacity;
        let (events, used) = if drops_oldest { room.used_before_destinations() } else { room.used() };
        if events >= max_events || used + bytes > max_bytes {
            return Err(RefusedBecause::QueueFull { events, bytes: used, max_events, max_bytes });
        }
        Ok(Free { events: LOOK_EVERY.min(max_events - events), bytes: max_bytes - used })
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
            // Whoever would be told is in the other process.
            RefusedBecause::Forked => {}
        }
        CallError { because, event }
    }

    /// The oldest chunk, for the worker. `done` goes back to be used again.
    pub(super) fn take(&self, done: Option<Chunk>) -> Option<Chunk> {
        let mut front = self.front();
        front.worker.looks();
        if let Some(chunk) = done {
            front.keep(chunk);
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
        Some(match chunk.next()? {
            Entry::Command(command) => Taken::Command(command),
            Entry::Event(mut event, accepted) => {
                event.attached.ticket = Some(self.ticket(&event, accepted));
                Taken::Event(event)
            }
        })
    }

    /// The event is handed to the destinations.
    pub(super) fn fan_out(&self, bytes: u32) {
        self.ledger.room.fan_out(bytes, self.capacity.drops_oldest);
    }

    fn ticket(&self, event: &Event, Accepted { bytes, depth, epoch, mut watch }: Accepted) -> Ticket {
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

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
