//! What is under way in one lane, and which of it makes the next batch.
//!
//! Pure bookkeeping: no clock, no waiting, no I/O.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Counts;
use crate::event::{MAX_EVENT_BYTES, Message};
use crate::ledger::{DeliveryError, DropReason};
use crate::plugin::{Batching, QueueLimits};

pub(super) struct Queue {
    waiting: VecDeque<Arc<Message>>,
    waiting_bytes: usize,
    /// When the first of those that wait came.
    oldest: Option<Duration>,
    /// Batches that left the queue and have no outcome yet.
    active: HashMap<u64, Arc<[Arc<Message>]>>,
    next_batch: u64,
    /// Events that wait or are active, and the bytes of their JSON.
    pub(super) under_way: usize,
    pub(super) under_way_bytes: usize,
    pub(super) overflowing: bool,
    /// A batch was due while no other could leave: what waits has grown.
    saturated: bool,
    wake: bool,
    /// A flush is under way: what waits is due.
    pub(super) flushing: bool,
    /// Of the last attempt, if it failed.
    pub(super) last_error: Option<Arc<DeliveryError>>,
    /// The lane takes no more, and what comes is dropped because of this.
    closed: Option<DropReason>,
    over: bool,
    pub(super) batching: Batching,
    pub(super) counts: Counts,
}

impl Queue {
    /// A batch is due before the limits are reached, whatever `batching` says: nobody is refused while nothing leaves.
    pub(super) fn new(mut batching: Batching, limits: &QueueLimits) -> Self {
        batching.flush_at = batching.flush_at.min(limits.events);
        batching.max_bytes = batching.max_bytes.min(limits.bytes.saturating_sub(MAX_EVENT_BYTES));
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            oldest: None,
            active: HashMap::new(),
            next_batch: 0,
            under_way: 0,
            under_way_bytes: 0,
            overflowing: false,
            saturated: false,
            wake: false,
            flushing: false,
            last_error: None,
            closed: None,
            over: false,
            batching,
            counts: Counts::default(),
        }
    }

    pub(super) fn push(&mut self, message: Arc<Message>, now: impl FnOnce() -> Duration) {
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

    /// Makes room for `message` at the cost of the oldest that wait. Returns what was dropped: `message` itself, if there
    /// is no room without them either.
    pub(super) fn drop_oldest_for(
        &mut self,
        message: Arc<Message>,
        limits: &QueueLimits,
        now: impl FnOnce() -> Duration,
    ) -> Vec<Arc<Message>> {
        // What waits is weighed with its commas.
        let active_bytes = self.under_way_bytes - (self.waiting_bytes - self.waiting.len());
        let active = self.under_way - self.waiting.len();
        if active >= limits.events || active_bytes + message.json().len() > limits.bytes {
            return vec![message];
        }
        let mut dropped = Vec::new();
        while !self.fits(&message, limits) {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= weight(&oldest);
            self.left(&oldest);
            dropped.push(oldest);
        }
        self.push(message, now);
        dropped
    }

    /// Whether half of the room is free.
    pub(super) fn is_half_empty(&self, limits: &QueueLimits) -> bool {
        self.under_way <= limits.events / 2 && self.under_way_bytes <= limits.bytes / 2
    }

    /// Whether there is room for `message`.
    pub(super) fn fits(&self, message: &Message, limits: &QueueLimits) -> bool {
        self.under_way < limits.events && self.under_way_bytes + message.json().len() <= limits.bytes
    }

    /// Whether the worker must look, since the last time this was asked.
    pub(super) fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.wake)
    }

    /// Whether a batch should leave: enough wait, or long enough, or everything must.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let Some(oldest) = self.oldest else { return false };
        self.flushing
            || self.closed.is_some()
            || self.waiting.len() >= self.batching.flush_at
            || self.waiting_bytes >= self.batching.max_bytes
            || now.saturating_sub(oldest) >= self.batching.interval
    }

    /// A batch is due, and cannot leave.
    pub(super) fn saturate(&mut self) {
        self.saturated = true;
    }

    /// Takes the next batch out: as many as make one due, or as many as fit, if they have had to wait.
    pub(super) fn cut(&mut self) -> (u64, Arc<[Arc<Message>]>) {
        let most = if self.saturated { self.batching.max_events } else { self.batching.flush_at };
        let most = most.min(self.batching.max_events);
        let mut bytes = 0;
        let fitting = self.waiting.iter().take(most).take_while(|message| {
            bytes += weight(message);
            bytes <= self.batching.max_bytes
        });
        // One event alone may have more than a batch should.
        let events = fitting.count().max(1).min(self.waiting.len());
        let batch: Arc<[Arc<Message>]> = self.waiting.drain(..events).collect();
        self.waiting_bytes -= batch.iter().map(|message| weight(message)).sum::<usize>();
        if self.waiting.is_empty() {
            // Else the age of the one that left stands for theirs, who came later: they never wait too long.
            self.oldest = None;
        }
        self.saturated &= self.waiting.len() >= self.batching.flush_at;
        (self.activate(batch.clone()), batch)
    }

    /// Registers a batch as under way, and numbers it.
    pub(super) fn activate(&mut self, batch: Arc<[Arc<Message>]>) -> u64 {
        self.next_batch += 1;
        self.active.insert(self.next_batch, batch);
        self.next_batch
    }

    /// Takes the batch out of what is active. `None` if it was abandoned meanwhile.
    pub(super) fn deactivate(&mut self, batch: u64) -> Option<Arc<[Arc<Message>]>> {
        self.active.remove(&batch)
    }

    /// The batches that are active but for the `known`.
    pub(super) fn active_but(&self, known: &HashSet<u64>) -> Vec<(u64, Arc<[Arc<Message>]>)> {
        let others = self.active.iter().filter(|(number, _)| !known.contains(number));
        others.map(|(number, batch)| (*number, batch.clone())).collect()
    }

    /// The batch has its outcome. `None` if it was abandoned meanwhile.
    pub(super) fn finish(&mut self, batch: u64) -> Option<Arc<[Arc<Message>]>> {
        let batch = self.deactivate(batch)?;
        batch.iter().for_each(|message| self.left(message));
        Some(batch)
    }

    /// Everything under way, which it is no more; the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Message>> {
        let mut active: Vec<_> = self.active.drain().collect();
        active.sort_by_key(|(number, _)| *number);
        let active = active.into_iter().flat_map(|(_, batch)| batch.to_vec());
        let all: Vec<_> = active.chain(self.waiting.drain(..)).collect();
        (self.under_way, self.under_way_bytes, self.waiting_bytes, self.oldest) = (0, 0, 0, None);
        all
    }

    fn left(&mut self, message: &Message) {
        self.under_way -= 1;
        self.under_way_bytes -= message.json().len();
    }

    pub(super) fn oldest(&self) -> Option<Duration> {
        self.oldest
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn close(&mut self, reason: DropReason) {
        self.closed.get_or_insert(reason);
    }

    pub(super) fn closed(&self) -> Option<DropReason> {
        self.closed
    }

    /// Whether the lane is closed and nothing is under way.
    pub(super) fn has_ended(&self) -> bool {
        self.closed.is_some() && self.waiting.is_empty() && self.active.is_empty()
    }

    pub(super) fn end(&mut self) {
        self.over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}

/// What an event adds to a batch: itself and a comma.
fn weight(message: &Message) -> usize {
    message.json().len() + 1
}
