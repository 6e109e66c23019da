//! One destination: its queue, and the worker that owns its service.
//!
//! Always: an event that was offered ends here in one outcome; what is under way is at most what the limits say; and
//! nothing a destination does (fail, panic, hang, be slow) is felt outside its lane. Offering an event allocates
//! nothing and wakes the worker once per batch.

mod job;
mod queue;
mod refusals;
mod reports;
mod worker;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::seldom::Seldom;
use super::watchdog::Watched;
use super::{AfterQueue, Shared};
use crate::clock::Clock;
use crate::contained::Panicked;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Event, Kind, Message};
use crate::ledger::{DeliveryError, DestinationOutcome, DestinationStats, DropReason, Drops, Ledger, Outcome};
use crate::plugin::{Lifecycle, Overflow, QueueLimits, Selection, Wiring};
use queue::Queue;
use worker::LaneWorker;

/// Events that are settled under one lock, where there may be very many.
const SETTLED_AT_ONCE: usize = 1024;

/// The side of a lane that others touch.
pub(crate) struct Lane {
    selection: Selection,
    kinds: Box<dyn Fn(Kind) -> bool + Send + Sync>,
    lifecycle: Arc<dyn Lifecycle>,
    watched: Arc<Watched>,
    limits: QueueLimits,
    queue: Mutex<Queue>,
    wake: Notify,
    ledger: Arc<Ledger>,
    emitter: Emitter,
    clock: Clock,
    after: Arc<AfterQueue>,
    ended: Notify,
    overflows: Seldom,
}

/// What was under way when it was taken out of a lane. It has no outcome there yet.
pub(super) struct TakenBack {
    lane: Arc<Lane>,
    pub(super) messages: Vec<Arc<Message>>,
    /// Of the last attempt, if it failed.
    error: Option<Arc<DeliveryError>>,
}

impl TakenBack {
    /// Drops the events, for `reason`. Returns the error, which is user code.
    pub(super) fn settle(&self, reason: DropReason) -> Option<Arc<DeliveryError>> {
        for messages in self.messages.chunks(SETTLED_AT_ONCE) {
            self.lane.settle(messages, Outcome::Dropped(reason), self.error.clone());
        }
        self.error.clone()
    }
}

/// Counts of one lane.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    accepted: u64,
    delivered: u64,
    dropped: Drops,
    attempts: u64,
    retries: u64,
    bytes: u64,
    batches: u64,
}

impl Lane {
    /// Makes the lane of a destination and starts its worker.
    pub(super) fn start(
        shared: &Shared,
        wiring: Wiring,
        lifecycle: Arc<dyn Lifecycle>,
        kinds: Box<dyn Fn(Kind) -> bool + Send + Sync>,
        watched: Arc<Watched>,
    ) -> Arc<Self> {
        let Wiring { service, factory, batching, retry, queue, in_flight, attempt_timeout, selection } = wiring;
        let limits = queue.unwrap_or_else(|| shared.intake.limits());
        let lane = Arc::new(Self {
            selection,
            kinds,
            lifecycle,
            watched,
            limits,
            queue: Mutex::new(Queue::new(batching, &limits)),
            wake: Notify::new(),
            ledger: shared.ledger.clone(),
            emitter: shared.emitter.clone(),
            clock: shared.clock.clone(),
            after: shared.after.clone(),
            ended: Notify::new(),
            overflows: Seldom::default(),
        });
        let worker = LaneWorker::new(lane.clone(), service, factory, retry, in_flight, attempt_timeout);
        let kept = lane.clone();
        shared.background.spawn(async move {
            if AssertUnwindSafe(worker.run()).catch_unwind().await.map_err(Panicked::new).is_err() {
                kept.die();
            }
        });
        lane
    }

    pub(super) fn name(&self) -> &Arc<str> {
        self.selection.name()
    }

    pub(super) fn lifecycle(&self) -> &Arc<dyn Lifecycle> {
        &self.lifecycle
    }

    /// Whether the event is to go to this destination.
    pub(super) fn selects(&self, event: &Event) -> bool {
        (self.kinds)(event.kind()) && self.selection.selects(event)
    }

    /// Takes the event, or drops one, if there is no room.
    pub(super) fn offer(&self, message: Arc<Message>) {
        let now = || self.clock.now();
        let mut queue = self.queue();
        queue.counts.accepted += 1;
        if let Some(reason) = queue.closed() {
            drop(queue);
            return self.settle(&[message], Outcome::Dropped(reason), None);
        }
        let dropped = if queue.fits(&message, &self.limits) {
            queue.overflowing &= !queue.is_half_empty(&self.limits);
            queue.push(message, now);
            Vec::new()
        } else {
            match self.limits.overflow {
                Overflow::RefuseNew => vec![message],
                Overflow::DropOldest => queue.drop_oldest_for(message, &self.limits, now),
            }
        };
        let first = !dropped.is_empty() && !std::mem::replace(&mut queue.overflowing, true);
        let wakes = queue.take_wake() || (queue.flushing && self.ledger.is_flushing());
        drop(queue);
        self.settle(&dropped, Outcome::Dropped(DropReason::QueueFull), None);
        if first {
            self.report_overflow();
        }
        if wakes {
            self.wake.notify_one();
        }
    }

    #[cold]
    fn report_overflow(&self) {
        if self.overflows.count(1, self.clock.now()).is_none() {
            return;
        }
        let message = format!(
            "the queue is full: more than {} events or {} bytes are under way; events are dropped until there is room",
            self.limits.events, self.limits.bytes
        );
        let mut failure = Failure::new(self.name().clone(), message, 1);
        failure.dropped = Some(DropReason::QueueFull);
        self.emitter.fail(failure);
    }

    /// Has everything that waits leave at once, while a flush is under way.
    pub(super) fn flush(&self) {
        self.queue().flushing = true;
        self.wake.notify_one();
    }

    /// Takes no more events, and ends when those it has have their outcome.
    pub(super) fn close(&self) {
        self.queue().close(DropReason::Unavailable);
        self.wake.notify_one();
    }

    /// The worker has panicked after all: nothing that is under way will be delivered any more.
    #[cold]
    fn die(self: &Arc<Self>) {
        let dropped = self.abandon(DropReason::Panicked);
        let message = format!("the destination's lane panicked, and takes no more events; {dropped} are dropped");
        let mut failure = Failure::new(self.name().clone(), message, dropped);
        failure.dropped = Some(DropReason::Panicked);
        self.emitter.fail(failure);
        self.end();
    }

    fn end(&self) {
        self.queue().end();
        self.ended.notify_waiters();
    }

    /// Ends when the worker has: after [`close`](Self::close) or [`abandon`](Self::abandon).
    pub(super) async fn ended(&self) {
        let ended = self.ended.notified();
        if !self.queue().is_over() {
            ended.await;
        }
    }

    /// Gives up everything under way, for `reason`. Returns how many events that were. Does not need the worker, which
    /// finds nothing left to do.
    pub(super) fn abandon(self: &Arc<Self>, reason: DropReason) -> usize {
        let TakenBack { messages, error, .. } = self.take_back(reason);
        self.settle(&messages, Outcome::Dropped(reason), error);
        messages.len()
    }

    /// Takes out everything under way, and takes no more events, for `reason`. Whoever gets it has to settle it: the
    /// worker finds nothing left to do.
    pub(super) fn take_back(self: &Arc<Self>, reason: DropReason) -> TakenBack {
        let mut queue = self.queue();
        queue.close(reason);
        let (messages, error) = (queue.take_all(), queue.last_error.take());
        drop(queue);
        self.wake.notify_one();
        TakenBack { lane: self.clone(), messages, error }
    }

    /// Counts the outcome of events that left the queue, and tells whoever wants to know.
    fn settle(&self, messages: &[Arc<Message>], outcome: Outcome, error: Option<Arc<DeliveryError>>) {
        if messages.is_empty() {
            return;
        }
        let events = messages.len() as u64;
        {
            let mut queue = self.queue();
            match outcome {
                Outcome::Delivered => queue.counts.delivered += events,
                Outcome::Dropped(reason) => queue.counts.dropped.add(reason, events),
            }
        }
        for message in messages.iter().filter(|message| message.ticket.has_observers()) {
            message.ticket.with_observers(|observers| {
                observers.message_id = message.message_id().into_owned();
                let (destination, error) = (self.name().clone(), error.clone());
                observers.destinations.push(DestinationOutcome { destination, outcome, error });
            });
        }
        let settling = self.after.settling();
        let due = self.ledger.settle_for_destination(messages.iter().map(|message| &message.ticket), outcome);
        let missed = self.after.show(messages);
        drop(settling);
        due.notify();
        self.after.report(&missed);
    }

    /// Remembers why the last attempt failed. What it replaces is user code, and dropped when the lock is free again.
    fn remember(&self, error: Option<Arc<DeliveryError>>) {
        let before = std::mem::replace(&mut self.queue().last_error, error);
        drop(before);
    }

    /// Of the last attempt, if it failed.
    pub(super) fn last_error(&self) -> Option<Arc<DeliveryError>> {
        self.queue().last_error.clone()
    }

    pub(super) fn stats(&self) -> DestinationStats {
        let queue = self.queue();
        let Counts { accepted, delivered, dropped, attempts, retries, bytes, batches } = queue.counts;
        DestinationStats {
            name: self.name().clone(),
            accepted,
            delivered,
            dropped,
            pending: accepted - delivered - dropped.total(),
            queued_events: queue.waiting() as u64,
            queued_bytes: queue.waiting_bytes() as u64,
            batches,
            attempts,
            retries,
            bytes,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the batch that is filling is due by age.
    fn due_by_age(&self, queue: &Queue) -> Option<Duration> {
        queue.oldest().map(|oldest| oldest.saturating_add(queue.batching.interval))
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", self.name()).finish_non_exhaustive()
    }
}
