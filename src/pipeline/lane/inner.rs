//! The shared part of a lane and its worker: the queue, and how events leave it.
//!
//! Invariant: no user code runs under the queue's lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::super::after::AfterQueue;
use super::client_parts::ClientParts;
use super::inspection::LaneReporter;
use super::queue::Queue;
use super::report;
use super::state::LaneState;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, LostEvents};
use crate::event::Message;
use crate::ledger::{
    DeliveryError, DestinationOutcome, DestinationStats, DropReason, Envelope, Ledger, Notifications, Outcome,
    Settlement,
};
use crate::plugin::{Batching, Overflow, QueueLimits};
use crate::supervise::Topic;

/// Events that are counted under one lock, where there may be very many.
const COUNTED_AT_ONCE: usize = 1024;

pub(super) struct LaneInner {
    pub(super) name: Arc<str>,
    pub(super) limits: QueueLimits,
    /// Callers that wait for room wait for this destination while it is behind.
    is_waited_for: bool,
    queue: Mutex<Queue>,
    /// Wakes the worker.
    pub(super) wake: Notify,
    stopped: Notify,
    pub(super) ledger: Arc<Ledger>,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
    after: Arc<AfterQueue>,
    /// Reports to an inspector, if there is one.
    pub(super) reporter: Option<LaneReporter>,
}

/// Events that were taken out of a lane while they were under way. They have no outcome at this destination yet.
pub(in crate::pipeline) struct LaneEvents {
    lane: Arc<LaneInner>,
    pub(in crate::pipeline) messages: Vec<Arc<Envelope<Message>>>,
    /// The error of the last attempt, if it failed.
    error: Option<Arc<DeliveryError>>,
}

impl LaneEvents {
    pub(in crate::pipeline) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.error.is_none()
    }

    /// Counts the events as dropped for `reason`, and notifies nobody. Returns the settlements that after plugins miss.
    pub(in crate::pipeline) fn count(&self, reason: DropReason, due: &mut Notifications<'_>) -> Vec<Settlement> {
        let (outcome, mut missed) = (Outcome::Dropped(reason), Vec::new());
        for some in self.messages.chunks(COUNTED_AT_ONCE) {
            missed.extend(self.lane.count(some, outcome, |_| self.error.clone(), due));
        }
        missed
    }
}

impl LaneInner {
    pub(super) fn new(
        parts: &ClientParts,
        name: Arc<str>,
        batching: Batching,
        own_limits: Option<QueueLimits>,
    ) -> Self {
        let limits = own_limits.unwrap_or_else(|| parts.limits.queue());
        let reporter = parts.inspector.clone().map(|inspector| {
            let (destination, clock) = (name.clone(), parts.clock.clone());
            LaneReporter { inspector, destination, clock }
        });
        Self {
            name,
            limits,
            is_waited_for: own_limits.is_none() && limits.overflow == Overflow::RefuseNew,
            queue: Mutex::new(Queue::new(batching, limits, parts.limits.whole())),
            wake: Notify::new(),
            stopped: Notify::new(),
            ledger: parts.ledger.clone(),
            emitter: parts.emitter.clone(),
            clock: parts.clock.clone(),
            after: parts.after.clone(),
            reporter,
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether the destination is behind: it is not down, and more than half of its room is taken. Returns whether it
    /// has just caught up; then a caller that waits has to be called.
    pub(super) fn note_behind(&self, queue: &mut Queue) -> bool {
        let is_behind = self.is_waited_for && !queue.is_down && !queue.is_half_empty();
        if is_behind == queue.is_behind {
            return false;
        }
        queue.is_behind = is_behind;
        self.ledger.capacity.count_behind(is_behind);
        !is_behind
    }

    /// Notes that the destination is down. Nobody waits for it before it works again.
    pub(super) fn record_down(&self) {
        let mut queue = self.queue();
        queue.is_down = true;
        let is_over = self.note_behind(&mut queue);
        drop(queue);
        if is_over {
            self.ledger.capacity.call_next();
        }
    }

    /// Takes no more events. The worker ends when those that it has have their outcome.
    pub(super) fn close(&self) {
        self.queue().close(DropReason::Unavailable);
        self.wake.notify_one();
    }

    /// Takes out everything under way, and takes no more events, for `reason`. The caller has to settle what it gets.
    /// The worker finds nothing left to do.
    pub(super) fn take_back(self: &Arc<Self>, reason: DropReason) -> LaneEvents {
        let mut queue = self.queue();
        queue.close(reason);
        let (messages, error) = (queue.take_all(), queue.set_last_error(None));
        drop(queue);
        self.wake.notify_one();
        LaneEvents { lane: self.clone(), messages, error }
    }

    /// Drops everything under way for `reason`. Returns the number of events. Needs no worker.
    pub(super) fn abandon(self: &Arc<Self>, reason: DropReason) -> usize {
        let LaneEvents { messages, error, .. } = self.take_back(reason);
        self.settle(&messages, Outcome::Dropped(reason), |_| error.clone());
        messages.len()
    }

    /// Ends the lane after a panic of its worker. Nothing that is under way will be delivered.
    #[cold]
    pub(super) fn abort(self: &Arc<Self>) {
        let dropped = self.abandon(DropReason::Panicked);
        self.emitter.fail(report::lane_panicked(&self.name, dropped));
        self.stop();
    }

    /// Notes that the worker has ended.
    pub(super) fn stop(&self) {
        self.queue().stop();
        self.stopped.notify_waiters();
    }

    /// Waits until the worker has ended, after [`close`](Self::close) or [`abandon`](Self::abandon).
    pub(super) async fn stopped(&self) {
        let stopped = self.stopped.notified();
        if !matches!(self.state(), LaneState::Stopped(_)) {
            stopped.await;
        }
    }

    pub(super) fn state(&self) -> LaneState {
        self.queue().state()
    }

    /// Counts the outcome of events that left the queue, and notifies whoever wants to know. `error_of` returns the
    /// error of the event at that index.
    pub(super) fn settle(
        &self,
        messages: &[Arc<Envelope<Message>>],
        outcome: Outcome,
        error_of: impl Fn(usize) -> Option<Arc<DeliveryError>>,
    ) {
        if messages.is_empty() {
            return;
        }
        let mut due = Notifications::new(&self.ledger);
        let missed = self.count(messages, outcome, &error_of, &mut due);
        due.notify();
        self.after.report(&missed);
        if let Outcome::Dropped(reason) = outcome {
            self.tell_lost(messages, reason, error_of(0));
        }
    }

    /// Counts the outcome of events that left the queue. The caller sends the notifications that are `due`, and reports
    /// the settlements that are returned, which after plugins miss.
    fn count(
        &self,
        messages: &[Arc<Envelope<Message>>],
        outcome: Outcome,
        error_of: impl Fn(usize) -> Option<Arc<DeliveryError>>,
        due: &mut Notifications<'_>,
    ) -> Vec<Settlement> {
        let mut queue = self.queue();
        queue.counts.record_outcome(outcome, messages.len());
        let is_half_empty = queue.is_half_empty();
        if self.note_behind(&mut queue) {
            due.set_freed();
        }
        drop(queue);
        if is_half_empty {
            self.emitter.works(Topic::QueueFull, &self.name);
        }
        for (index, message) in messages.iter().enumerate().filter(|(_, message)| message.ticket.has_observers()) {
            message.ticket.with_observers(|observers| {
                let id = message.message_id();
                // It is there, unless a plugin has changed it.
                if observers.message_id != *id {
                    observers.message_id = id.into_owned();
                }
                let (destination, error) = (self.name.clone(), error_of(index));
                observers.destinations.push(DestinationOutcome { destination, outcome, error });
            });
        }
        if let Some(reporter) = &self.reporter {
            reporter.end(messages, outcome, &error_of);
        }
        let _settling = self.after.settling();
        self.ledger.settle_for_destination(messages.iter().map(|message| &message.ticket), outcome, due);
        self.after.show(messages)
    }

    /// Emits the signal `lost`, if somebody listens to it.
    fn tell_lost(&self, messages: &[Arc<Envelope<Message>>], reason: DropReason, error: Option<Arc<DeliveryError>>) {
        if self.emitter.wants_lost(reason) {
            let lost = LostEvents::of_destination(self.name.clone(), messages, reason, error);
            self.emitter.emit(Emitted::Lost(lost));
        }
    }

    /// Keeps the error of the last attempt.
    pub(super) fn set_last_error(&self, error: Option<Arc<DeliveryError>>) {
        let before = self.queue().set_last_error(error);
        drop(before);
    }

    pub(super) fn stats(&self) -> DestinationStats {
        let queue = self.queue();
        let counts = queue.counts;
        DestinationStats {
            name: self.name.clone(),
            accepted: counts.accepted,
            delivered: counts.delivered,
            dropped: counts.dropped,
            pending: counts.pending(),
            queued_events: queue.waiting() as u64,
            queued_bytes: queue.waiting_bytes() as u64,
            batches: counts.batches,
            attempts: counts.attempts,
            retries: counts.retries,
            bytes: counts.bytes,
        }
    }
}
