//! The bounded queue between callers and the pipeline.
//!
//! Invariant: a call takes one short lock, does no I/O, and allocates only when a chunk is full. Waking a sleeping
//! thread is a system call that costs the caller more than all the rest. So a call wakes the worker only if that
//! [waits](worker_state) to be woken, or if much has come in.

mod admission;
mod call_context;
mod command;
mod handover;
mod queue_state;
#[cfg(test)]
mod tests;
mod worker_state;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::task::Poll;

use tokio::sync::Notify;

use handover::Handover;
use queue_state::{Accepted, Entry, QueueState};

use super::limits::Limits;
use crate::clock::{Clock, Instant};
use crate::emitter::Emitter;
use crate::event::{Context, Event, Packed};
use crate::ledger::{DropReason, Envelope, Ledger, Notifications, Outcome, Ticket};
use crate::refusal::{CallError, RefusalReason};
use crate::supervise::hops;
pub(crate) use call_context::CallContext;
pub(super) use command::Command;
pub(super) use worker_state::{IdleWait, MaxDelay};

/// Events that are counted under one lock, where there may be very many.
const COUNTED_AT_ONCE: usize = 1024;

pub(crate) struct Intake {
    queue: Handover<QueueState>,
    wake: Notify,
    /// How many dispatches there were: each sends everything without waiting for full batches. Changed under the lock
    /// of the queue.
    dispatched: AtomicU64,
    limits: Limits,
    ledger: Arc<Ledger>,
    emitter: Emitter,
    clock: Clock,
    defaults: Context,
    call_context: Option<CallContext>,
}

/// What was taken out when the client ended.
#[derive(Default)]
pub(super) struct QueuedEvents {
    pub(super) events: Vec<Packed>,
    /// What else is known of these events.
    accepted: Vec<Accepted>,
    /// Commands that nobody will carry out. They hold plugins, which are user code.
    commands: Vec<Command>,
}

impl QueuedEvents {
    pub(super) fn is_empty(&self) -> bool {
        self.accepted.is_empty() && self.commands.is_empty()
    }

    /// Counts the events, and notifies nobody.
    pub(super) fn count(&mut self, ledger: &Arc<Ledger>, outcome: Outcome, due: &mut Notifications<'_>) {
        let mut accepted = std::mem::take(&mut self.accepted).into_iter();
        while !accepted.as_slice().is_empty() {
            let some = accepted.by_ref().take(COUNTED_AT_ONCE);
            let tickets: Vec<Ticket> = some.map(|accepted| accepted.into_ticket(ledger.clone())).collect();
            ledger.count(tickets.iter().map(|ticket| (ticket, outcome)), due);
        }
    }
}

/// What the worker takes out.
pub(super) enum Dequeued {
    Event(Envelope<Event>),
    Command(Box<Command>),
}

impl Intake {
    pub(crate) fn new(
        limits: Limits,
        ledger: Arc<Ledger>,
        emitter: Emitter,
        clock: Clock,
        defaults: Context,
        call_context: Option<CallContext>,
    ) -> Self {
        let (queue, wake) = (Handover::default(), Notify::new());
        let dispatched = AtomicU64::new(0);
        Self { queue, wake, dispatched, limits, ledger, emitter, clock, defaults, call_context }
    }

    /// Accepts the event or refuses it. Never blocks.
    // Not inlined, so that the cost of a call can be counted by name (benches/instructions.sh).
    #[inline(never)]
    pub(crate) fn push(&self, event: impl Into<Event>) -> Result<(), CallError> {
        let mut event = event.into();
        let placed = match self.check(&mut event) {
            Ok(bytes) => self.place(event, bytes),
            Err(because) => Err((because, Box::new(event))),
        };
        placed.map_err(|(because, event)| self.refuse(because, event))
    }

    /// Accepts the event or refuses it. Waits for room first, until `deadline` if there is one. A caller with a
    /// deadline has to poll when that has come.
    pub(crate) async fn push_when_room(&self, event: Event, deadline: Option<Instant>) -> Result<(), CallError> {
        let mut event = event;
        let bytes = match self.check(&mut event) {
            Ok(bytes) => bytes,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        let room = &self.ledger.capacity;
        let mut waiting = room.wait_in_line();
        loop {
            // Before the check for room, so that nothing that is freed from here on is missed.
            let mut freed = pin!(room.freed());
            freed.as_mut().enable();
            let is_turn = waiting.is_first() && !room.is_behind();
            // Nobody would end the wait of a forked process.
            if is_turn || self.is_closed() || self.ledger.is_forked() {
                event = *match self.place(event, bytes) {
                    Ok(()) => break,
                    Err((RefusalReason::QueueFull { .. }, event)) => event,
                    Err((because, event)) => return Err(self.refuse(because, event)),
                };
            }
            let in_time = poll_fn(|cx| match freed.as_mut().poll(cx) {
                Poll::Pending if deadline.is_none_or(|deadline| Instant::now() < deadline) => Poll::Pending,
                polled => Poll::Ready(polled.is_ready()),
            });
            if !in_time.await {
                return self.place(event, bytes).map_err(|(because, event)| self.refuse(because, event));
            }
            waiting.is_called();
        }
        if self.has_room() {
            // For the next in line: if much was freed at once, each takes one place.
            room.call_next();
        }
        Ok(())
    }

    /// Puts a checked event into the queue, if there is room.
    fn place(&self, mut event: Event, bytes: u32) -> Result<(), (RefusalReason, Box<Event>)> {
        let (mut front, epoch) = match self.accept(bytes) {
            Ok(accepted) => accepted,
            Err(because) => return Err((because, Box::new(event))),
        };
        let accepted = Accepted { bytes, depth: hops::current(), epoch, watch: event.slot.take() };
        if self.limits.all_disabled {
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

    /// Accepts an event that goes straight into the pipeline, past the queue.
    pub(super) fn admit(&self, mut event: Event) -> Result<Envelope<Event>, CallError> {
        let accept = |bytes| Ok((bytes, self.accept(bytes)?.1));
        let here = if self.ledger.is_forked() { Err(RefusalReason::Forked) } else { Ok(()) };
        let (bytes, epoch) = match here.and_then(|()| self.check(&mut event)).and_then(accept) {
            Ok(accepted) => accepted,
            Err(because) => return Err(self.refuse(because, Box::new(event))),
        };
        let accepted = Accepted { bytes, depth: hops::current(), epoch, watch: event.slot.take() };
        event.make_message_id();
        let mut ticket = self.ticket(&event, accepted);
        ticket.set_drop_reason(DropReason::Cancelled);
        Ok(Envelope::new(event, ticket))
    }

    /// Puts a command behind everything that was accepted so far, or says why it would not be carried out.
    pub(crate) fn command(&self, command: Command) -> Result<(), RefusalReason> {
        if self.ledger.is_forked() {
            return Err(RefusalReason::Forked);
        }
        let front = self.lock_for_call()?;
        if front.closed {
            return Err(front.closed_because());
        }
        self.put(front, command);
        Ok(())
    }

    /// Tells the worker to end after everything that came before.
    pub(super) fn end(&self) {
        let mut front = self.front();
        front.ended = true;
        self.put(front, Command::End);
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

    /// Returns how many dispatches there were.
    pub(crate) fn dispatched(&self) -> u64 {
        self.dispatched.load(Ordering::Acquire)
    }

    /// Has everything that was accepted so far leave without waiting for a full batch, unless there was a dispatch
    /// since there were `seen` of them.
    pub(super) fn dispatch(&self, seen: u64) {
        let Ok(front) = self.lock_for_call() else { return };
        if !front.ended && self.dispatched.compare_exchange(seen, seen + 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
        {
            self.put(front, Command::Dispatch);
        }
    }

    fn put(&self, mut front: MutexGuard<'_, QueueState>, command: Command) {
        let wake = front.put_command(command);
        drop(front);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Refuses every call from now on. The caller wakes whoever waits for room.
    pub(super) fn close(&self) {
        self.front().closed = true;
    }

    /// Notes that the worker has ended: with its runtime, if nobody told it to. Nothing is taken out any more.
    pub(super) fn stop(&self) {
        let mut front = self.front();
        front.orphaned = !front.ended;
        (front.ended, front.closed) = (true, true);
    }

    /// Returns whether the worker has ended without being told to.
    pub(super) fn is_orphaned(&self) -> bool {
        self.front().orphaned
    }

    /// Takes out the one piece of user code that the intake holds.
    pub(super) fn take_call_context(&mut self) -> Option<CallContext> {
        self.call_context.take()
    }

    /// Returns whether calls are refused for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock_for_call().is_ok_and(|front| front.closed)
    }

    /// Returns why calls are refused for good, if they are.
    pub(crate) fn refusal_reason(&self) -> Option<RefusalReason> {
        if self.ledger.is_forked() {
            return Some(RefusalReason::Forked);
        }
        let front = self.front();
        front.closed.then(|| front.closed_because())
    }

    /// Moves the oldest chunk to the worker, if that has emptied the one before. Returns whether it has one now.
    pub(super) fn take(&self) -> bool {
        let mut front = self.front();
        front.worker.poll();
        self.queue.take_up(front)
    }

    /// Takes the oldest entry out of the worker's chunk. Returns `None` when that is empty.
    pub(super) fn next(&self) -> Option<Dequeued> {
        Some(match self.queue.next()? {
            Entry::Command(command) => Dequeued::Command(command),
            Entry::Event(event, accepted) => {
                let ticket = self.ticket(&event, accepted);
                Dequeued::Event(Envelope::new(event, ticket))
            }
        })
    }

    /// Takes out everything that waits and everything that is left in the worker's hand, at the end of the client. The
    /// events have no outcome yet.
    pub(super) fn take_back(&self) -> QueuedEvents {
        let mut taken = QueuedEvents::default();
        for chunk in self.queue.take_back() {
            let accepted = |accepted| taken.accepted.push(accepted);
            let packed = chunk.pack(accepted, |command| taken.commands.push(*command));
            taken.events.push(Packed::Events(packed));
        }
        taken
    }

    /// Waits until there may be something to take: so many events or bytes, or what cannot wait. Waits at most until
    /// `deadline` if there is one. Returns whether it had to wait.
    pub(super) async fn wait(&self, events: usize, bytes: usize, deadline: Option<tokio::time::Instant>) -> bool {
        {
            let mut front = self.front();
            if !front.is_empty() {
                return false;
            }
            // Wakes the worker before the queue is full, so that no call is refused while it rests.
            let half = |limit: u64| usize::try_from(limit / 2).unwrap_or(usize::MAX).max(1);
            let polls_anyway = events == usize::MAX;
            let events = if polls_anyway { events } else { events.min(half(self.limits.events)) };
            front.worker.park(events, bytes.min(half(self.limits.bytes)));
        }
        match deadline {
            None => self.wake.notified().await,
            Some(deadline) => {
                let _ = tokio::time::timeout_at(deadline, self.wake.notified()).await;
            }
        }
        true
    }

    fn ticket(&self, event: &Event, mut accepted: Accepted) -> Ticket {
        if let Some(watch) = &mut accepted.watch {
            // From here on the id is known wherever the event ends.
            watch.message_id = event.message_id().into_owned();
        }
        accepted.into_ticket(self.ledger.clone())
    }

    fn front(&self) -> MutexGuard<'_, QueueState> {
        self.queue.front()
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("limits", &self.limits).finish_non_exhaustive()
    }
}
