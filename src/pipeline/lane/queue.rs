//! The bookkeeping of one lane: which events wait, which are under way, and which make the next batch.
//!
//! Invariant: until it has its outcome, a queued event is in one place: it waits, or it is in a tracked batch. No
//! clock, no waiting, no I/O.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::counts::LaneCounts;
use super::job::Messages;
use super::state::LaneState;
use crate::event::{MAX_EVENT_BYTES, Message};
use crate::ledger::{DeliveryError, DropReason, Envelope};
use crate::pipeline::intake::MaxDelay;
use crate::plugin::{Batching, Overflow, QueueLimits};

pub(super) struct Queue {
    batching: Batching,
    limits: QueueLimits,
    waiting: VecDeque<Arc<Envelope<Message>>>,
    waiting_bytes: usize,
    /// The time when the first waiting event came.
    oldest: Option<Duration>,
    /// Batches that left the queue and have no outcome yet.
    tracked: HashMap<u64, Messages>,
    last_batch: u64,
    /// The number of events that wait or are tracked.
    under_way: usize,
    /// The bytes of their JSON.
    under_way_bytes: usize,
    /// A batch was due while no other could leave, so the next may be larger.
    saturated: bool,
    /// The worker must look at the queue.
    wake: bool,
    /// A flush is under way: everything that waits is due.
    flushing: bool,
    /// The number of waiting events, from the oldest on, that are due because of a dispatch.
    dispatched: usize,
    /// Attempts keep failing.
    pub(super) is_down: bool,
    /// Callers that wait for room wait for this destination.
    pub(super) is_behind: bool,
    /// The error of the last attempt, if it failed.
    last_error: Option<Arc<DeliveryError>>,
    state: LaneState,
    pub(super) counts: LaneCounts,
}

/// The result of offering an event.
pub(super) struct Offered {
    /// The events that found no place: the one that was offered, or those that gave way to it.
    pub(super) dropped: Vec<Arc<Envelope<Message>>>,
    /// Why they are dropped.
    pub(super) reason: DropReason,
    /// The worker must look at the queue.
    pub(super) wake: bool,
}

impl Queue {
    /// Makes an empty queue. A batch is due before its limits or those of the client are reached, whatever `batching`
    /// says. Otherwise events could be refused while nothing leaves.
    pub(super) fn new(mut batching: Batching, limits: QueueLimits, client: QueueLimits) -> Self {
        batching.flush_at = batching.flush_at.min(limits.events).min(client.events);
        let bytes = limits.bytes.min(client.bytes).saturating_sub(MAX_EVENT_BYTES);
        batching.max_bytes = batching.max_bytes.min(bytes);
        Self {
            batching,
            limits,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            oldest: None,
            tracked: HashMap::new(),
            last_batch: 0,
            under_way: 0,
            under_way_bytes: 0,
            saturated: false,
            wake: false,
            flushing: false,
            dispatched: 0,
            is_down: false,
            is_behind: false,
            last_error: None,
            state: LaneState::Open,
            counts: LaneCounts::default(),
        }
    }

    /// Queues the event, or drops one if there is no room.
    pub(super) fn offer(&mut self, message: Arc<Envelope<Message>>, now: impl FnOnce() -> Duration) -> Offered {
        self.counts.accepted += 1;
        if let Some(reason) = self.state.drop_reason() {
            return Offered { dropped: vec![message], reason, wake: false };
        }
        let dropped = if self.fits(&message) {
            self.push(message, now);
            Vec::new()
        } else {
            match self.limits.overflow {
                Overflow::RefuseNew => vec![message],
                Overflow::DropOldest => self.drop_oldest_for(message, now),
            }
        };
        Offered { dropped, reason: DropReason::QueueFull, wake: std::mem::take(&mut self.wake) }
    }

    fn push(&mut self, message: Arc<Envelope<Message>>, now: impl FnOnce() -> Duration) {
        let before = self.waiting_bytes;
        self.under_way += 1;
        self.under_way_bytes += message.json().len();
        self.waiting_bytes += weight(&message);
        self.waiting.push_back(message);
        let full = |bytes: usize| bytes >= self.batching.max_bytes;
        let came_due = self.waiting.len() == self.batching.flush_at || (full(self.waiting_bytes) && !full(before));
        if self.oldest.is_none() {
            self.oldest = Some(now());
            self.wake = true;
        }
        self.wake |= came_due;
    }

    /// Makes room for `message` at the cost of the oldest that wait. Returns what was dropped: `message` itself if even
    /// their room is not enough.
    fn drop_oldest_for(
        &mut self,
        message: Arc<Envelope<Message>>,
        now: impl FnOnce() -> Duration,
    ) -> Vec<Arc<Envelope<Message>>> {
        // The bytes that wait include one comma per event.
        let tracked_bytes = self.under_way_bytes - (self.waiting_bytes - self.waiting.len());
        let tracked = self.under_way - self.waiting.len();
        if tracked >= self.limits.events || tracked_bytes + message.json().len() > self.limits.bytes {
            return vec![message];
        }
        let mut dropped = Vec::new();
        while !self.fits(&message) {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= weight(&oldest);
            self.release(&oldest);
            self.dispatched = self.dispatched.saturating_sub(1);
            dropped.push(oldest);
        }
        self.push(message, now);
        dropped
    }

    /// Returns whether at least half of the room is free.
    pub(super) fn is_half_empty(&self) -> bool {
        self.under_way <= self.limits.events / 2 && self.under_way_bytes <= self.limits.bytes / 2
    }

    fn fits(&self, message: &Message) -> bool {
        self.under_way < self.limits.events && self.under_way_bytes + message.json().len() <= self.limits.bytes
    }

    /// Makes everything that waits due.
    pub(super) fn dispatch(&mut self) {
        self.dispatched = self.waiting.len();
    }

    /// Makes everything due that waits and that comes, until [`end_flush`](Self::end_flush).
    pub(super) fn begin_flush(&mut self) {
        self.flushing = true;
    }

    pub(super) fn end_flush(&mut self) {
        self.flushing = false;
    }

    pub(super) fn is_flushing(&self) -> bool {
        self.flushing
    }

    /// Returns whether a batch should leave: enough events wait, one waits long enough, or everything must go.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let Some(due) = self.due_by_age() else { return false };
        self.flushing
            || self.dispatched > 0
            || self.state != LaneState::Open
            || self.waiting.len() >= self.batching.flush_at
            || self.waiting_bytes >= self.batching.max_bytes
            || due <= now
    }

    /// Returns when what waits is due by its age.
    pub(super) fn due_by_age(&self) -> Option<Duration> {
        self.oldest.map(|oldest| oldest.saturating_add(self.batching.interval))
    }

    /// Returns how many more events or bytes make a batch due, and how long an event that comes now may wait for that.
    pub(super) fn next_batch(&self, now: Duration) -> MaxDelay {
        let events = self.batching.flush_at.saturating_sub(self.waiting.len()).max(1);
        let bytes = self.batching.max_bytes.saturating_sub(self.waiting_bytes).max(1);
        // A batch that is due and cannot leave waits for its destination.
        let left = self.due_by_age().and_then(|due| due.checked_sub(now)).filter(|left| !left.is_zero());
        MaxDelay { events, bytes, time: left.unwrap_or(self.batching.interval) }
    }

    /// Has what waits count as waiting since then. Returns whether it is due earlier now.
    pub(super) fn set_waiting_since(&mut self, since: Duration) -> bool {
        let Some(oldest) = &mut self.oldest else { return false };
        let is_earlier = since < *oldest;
        *oldest = since.min(*oldest);
        is_earlier
    }

    /// Notes that a batch is due and cannot leave. The next ones may be larger.
    pub(super) fn mark_saturated(&mut self) {
        self.saturated = true;
    }

    /// Takes the next batch out and tracks it: as many events as make one due, or as many as fit if they had to wait.
    pub(super) fn cut_batch(&mut self) -> (u64, Messages) {
        let most = if self.saturated { self.batching.max_events } else { self.batching.flush_at };
        let most = most.min(self.batching.max_events);
        let mut bytes = 0;
        let fitting = self.waiting.iter().take(most).take_while(|message| {
            bytes += weight(message);
            bytes <= self.batching.max_bytes
        });
        // One event alone may be larger than a batch should be.
        let events = fitting.count().max(1).min(self.waiting.len());
        let batch: Messages = self.waiting.drain(..events).collect();
        self.waiting_bytes -= batch.iter().map(|message| weight(message)).sum::<usize>();
        self.dispatched = self.dispatched.saturating_sub(events);
        if self.waiting.is_empty() {
            // Otherwise the age of the one that left stands for those behind it. So no event waits too long.
            self.oldest = None;
        }
        self.saturated &= self.waiting.len() >= self.batching.flush_at;
        (self.track(batch.clone()), batch)
    }

    fn track(&mut self, batch: Messages) -> u64 {
        self.last_batch += 1;
        self.tracked.insert(self.last_batch, batch);
        self.last_batch
    }

    /// Tracks parts in the place of the whole; each of its events is in one part. Returns their numbers, or `None` if
    /// the whole was abandoned.
    pub(super) fn divide(&mut self, batch: u64, parts: &[Messages]) -> Option<Vec<u64>> {
        self.tracked.remove(&batch)?;
        Some(parts.iter().map(|part| self.track(part.clone())).collect())
    }

    /// Returns the tracked batches that are not `known`.
    pub(super) fn tracked_except(&self, known: &HashSet<u64>) -> Vec<(u64, Messages)> {
        let others = self.tracked.iter().filter(|(number, _)| !known.contains(number));
        others.map(|(number, batch)| (*number, batch.clone())).collect()
    }

    /// Takes out a batch that has its outcome. Returns `None` if it was abandoned meanwhile.
    pub(super) fn finish(&mut self, batch: u64) -> Option<Messages> {
        let batch = self.tracked.remove(&batch)?;
        batch.iter().for_each(|message| self.release(message));
        Some(batch)
    }

    /// Takes out everything under way, the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Envelope<Message>>> {
        let mut tracked: Vec<_> = self.tracked.drain().collect();
        tracked.sort_by_key(|(number, _)| *number);
        let tracked = tracked.into_iter().flat_map(|(_, batch)| batch.to_vec());
        let all: Vec<_> = tracked.chain(self.waiting.drain(..)).collect();
        (self.under_way, self.under_way_bytes, self.waiting_bytes, self.oldest) = (0, 0, 0, None);
        self.dispatched = 0;
        all
    }

    /// Gives the room of an event back.
    fn release(&mut self, message: &Message) {
        self.under_way -= 1;
        self.under_way_bytes -= message.json().len();
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Replaces the error of the last attempt. Returns the one before. It is user code: drop it without the lock.
    #[must_use = "it is user code, to be dropped when the lock is free"]
    pub(super) fn set_last_error(&mut self, error: Option<Arc<DeliveryError>>) -> Option<Arc<DeliveryError>> {
        std::mem::replace(&mut self.last_error, error)
    }

    #[cfg(not(target_family = "wasm"))]
    pub(super) fn last_error(&self) -> Option<Arc<DeliveryError>> {
        self.last_error.clone()
    }

    /// Takes no more events. The first `reason` stands.
    pub(super) fn close(&mut self, reason: DropReason) {
        if self.state == LaneState::Open {
            self.state = LaneState::Draining(reason);
        }
    }

    /// Notes that the worker has ended.
    pub(super) fn stop(&mut self) {
        self.state = LaneState::Stopped(self.state.drop_reason().unwrap_or(DropReason::Unavailable));
    }

    pub(super) fn state(&self) -> LaneState {
        match self.state {
            LaneState::Draining(reason) if self.waiting.is_empty() && self.tracked.is_empty() => {
                LaneState::Drained(reason)
            }
            state => state,
        }
    }
}

/// Returns what an event adds to a batch: itself and a comma.
fn weight(message: &Message) -> usize {
    message.json().len() + 1
}
