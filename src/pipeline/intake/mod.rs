//! The bounded queue between callers and the pipeline.
//!
//! Always: a call takes one short lock, does no I/O and allocates only when a chunk is full. The worker is woken
//! when it has been idle for a while, or when much has come in; otherwise it looks by itself every few milliseconds,
//! because waking a sleeping thread is a system call that costs the caller more than everything else it does here.

mod admission;
mod front;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::Notify;

use front::{Accepted, Chunk, Entry, Front};

use super::call_context::CallContext;
use super::refusal::{CallError, RefusedBecause};
use super::registry::Command;
use super::seldom::Seldom;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::event::{Context, Event};
use crate::ledger::{DropReason, Ledger, Outcome, Ticket};
use crate::plugin::{Overflow, QueueLimits};
use crate::reentry;

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
    in_hand: InHand,
    wake: Notify,
    /// The queue was full, and half of it has not been free since.
    refusing: AtomicBool,
    refusals: Seldom,
    /// A loop was cut, and reported.
    looped: AtomicBool,
    capacity: Capacity,
    ledger: Arc<Ledger>,
    emitter: Emitter,
    clock: Clock,
    defaults: Context,
    call_context: Option<CallContext>,
}

/// The chunk that the worker is working off. Locked after `front`, where both are. In cache lines of its own, since it
/// changes with every event, and callers read what stands beside it.
#[repr(align(128))]
#[derive(Default)]
struct InHand(Mutex<Chunk>);

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
        let (front, in_hand, wake) = (Mutex::default(), InHand::default(), Notify::new());
        let (refusing, looped) = (AtomicBool::new(false), AtomicBool::new(false));
        let refusals = Seldom::default();
        Self {
            front,
            in_hand,
            wake,
            refusing,
            refusals,
            looped,
            capacity,
            ledger,
            emitter,
            clock,
            defaults,
            call_context,
        }
    }

    /// Accepts the event or refuses it. Never blocks.
    // A function of its own in the program, so that what a call costs can be counted by name (benches/instructions.sh).
    #[inline(never)]
    pub(crate) fn push(&self, event: impl Into<Event>) -> Result<(), CallError> {
        let mut event = event.into();
        let placed = match self.check(&mut event) {
            Ok(bytes) => self.place(event, bytes),
            Err(because) => Err((because, Box::new(event))),
        };
        placed.map_err(|(because, event)| self.refuse(because, event))
    }

    /// Accepts the event or refuses it, after waiting for room.
    pub(crate) async fn push_when_room(&self, event: Event) -> Result<(), CallError> {
        let mut event = event;
        let bytes = match self.check(&mut event) {
            Ok(bytes) => bytes,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        loop {
            let freed = self.ledger.room.freed();
            event = *match self.place(event, bytes) {
                Ok(()) => return Ok(()),
                Err((RefusedBecause::QueueFull { .. }, event)) => event,
                Err((because, event)) => return Err(self.refuse(because, event)),
            };
            freed.await;
        }
    }

    /// Puts a checked event into the queue, if there is room.
    fn place(&self, mut event: Event, bytes: u32) -> Result<(), (RefusedBecause, Box<Event>)> {
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
        let accept = |bytes| Ok((bytes, self.accept(bytes)?.1));
        let (bytes, epoch) = match self.check(&mut event).and_then(accept) {
            Ok(accepted) => accepted,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        let accepted = Accepted { bytes, depth: reentry::depth(), epoch, watch: event.detach().watch };
        event.make_message_id();
        event.attached.ticket = Some(self.ticket(&event, accepted));
        Ok(event)
    }

    /// Puts a command behind what was accepted so far. Whether it will be obeyed: not once the client is closed.
    pub(crate) fn command(&self, command: Command) -> bool {
        match self.front_of_call() {
            Ok(front) if !front.closed => self.put(front, command),
            _ => return false,
        }
        true
    }

    /// Tells the worker to end when it has worked off what is before, and to drop `ended` then.
    pub(super) fn end(&self, ended: mpsc::SyncSender<()>) {
        let mut front = self.front();
        front.ended = true;
        self.put(front, Command::End(ended));
    }

    /// Begins a flush of everything that was accepted so far. Returns its number in the ledger.
    pub(super) fn begin_flush(&self) -> u64 {
        let mut front = self.front();
        let flush = self.ledger.begin_flush(front.epoch);
        front.epoch += 1;
        if !front.ended {
            self.put(front, Command::Flush);
        }
        flush
    }

    fn put(&self, mut front: MutexGuard<'_, Front>, command: Command) {
        let wake = front.put_command(command);
        drop(front);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Refuses every call from now on. Whether this call closed it.
    pub(super) fn close(&self) -> bool {
        let first = !std::mem::replace(&mut self.front().closed, true);
        // Whoever waits for room is refused now.
        self.ledger.room.wake();
        first
    }

    /// What the queue of a destination may hold that sets no limits of its own: as much as there may be under way.
    pub(super) fn limits(&self) -> QueueLimits {
        let Capacity { events, bytes, drops_oldest, .. } = self.capacity;
        let overflow = if drops_oldest { Overflow::DropOldest } else { Overflow::RefuseNew };
        let whole = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        QueueLimits::new(whole(events), whole(bytes)).overflow(overflow)
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.capacity.disabled
    }

    /// Whether calls are refused for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.front_of_call().is_ok_and(|front| front.closed)
    }

    /// Lets the worker have the oldest chunk, once it has taken out all of the one before. Whether there is one.
    pub(super) fn take(&self) -> bool {
        let mut front = self.front();
        front.worker.looks();
        self.take_up(front)
    }

    /// Puts the oldest chunk into the worker's hand. Whether there is one.
    fn take_up(&self, mut front: MutexGuard<'_, Front>) -> bool {
        let Some(chunk) = front.pop() else { return false };
        let done = std::mem::replace(&mut *self.in_hand(), chunk);
        front.keep(done);
        true
    }

    /// Takes out the oldest entry of the chunk in the worker's hand; `None` when it is empty.
    pub(super) fn next(&self) -> Option<Taken> {
        let entry = self.in_hand().next();
        Some(match entry? {
            Entry::Command(command) => Taken::Command(command),
            Entry::Event(mut event, accepted) => {
                event.attached.ticket = Some(self.ticket(&event, accepted));
                Taken::Event(event)
            }
        })
    }

    /// Takes out the oldest entry, for anybody but the worker: that one may be asleep, and is not taken for awake, or
    /// held up by a plugin, with a chunk in its hand. None once the worker was told to end, which it must read itself.
    pub(super) fn take_away(&self) -> Option<Taken> {
        if self.front().ended {
            return None;
        }
        loop {
            let taken = self.next();
            if taken.is_some() || !self.take_up(self.front()) {
                return taken;
            }
        }
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

    fn in_hand(&self) -> MutexGuard<'_, Chunk> {
        self.in_hand.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
