//! A lane: the queue of one destination, and the worker that owns its service.
//!
//! ```text
//!  offer ─▶ queue ─cut_batch─▶ batches (schedule) ─start─▶ attempt ─▶ service
//!             ▲                   ▲                           │
//!             └──── settle ◀──────┴──── Step ◀── job ◀── AttemptOutcome
//! ```
//!
//! [`spawn`] makes a pair, as tower's `Buffer` does: the [`Lane`], which others hold, and a worker in a task of its
//! own. They share `inner`.
//!
//! Invariants: an event that was offered ends here in one outcome. Whatever a destination does (fail, panic, hang, be
//! slow), other lanes do not notice. Offering an event allocates nothing and wakes the worker once per batch.

mod attempt;
mod batches;
mod client_parts;
mod config;
mod counts;
mod inner;
mod inspection;
mod job;
mod parts;
mod queue;
mod report;
mod schedule;
mod service;
mod state;
mod worker;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, Kind, Message};
use crate::ledger::{DestinationStats, DropReason, Envelope, Outcome};
use crate::pipeline::intake::MaxDelay;
use crate::plugin::{Lifecycle, Selection};
use crate::supervise::{self, Topic, Watched, log};
pub(super) use client_parts::ClientParts;
pub(super) use config::LaneConfig;
pub(super) use inner::LaneEvents;
use inner::LaneInner;
use worker::LaneWorker;

/// Returns whether a destination takes events of a kind.
type Kinds = Box<dyn Fn(Kind) -> bool + Send + Sync>;

/// The front of a lane: the side that others hold.
pub(crate) struct Lane {
    selection: Selection,
    kinds: Kinds,
    lifecycle: Arc<dyn Lifecycle>,
    inner: Arc<LaneInner>,
}

/// Makes the lane of a destination and starts its worker.
pub(super) fn spawn(
    parts: &ClientParts,
    config: LaneConfig,
    lifecycle: Arc<dyn Lifecycle>,
    kinds: Kinds,
    watched: Arc<Watched>,
) -> Arc<Lane> {
    let selection = config.selection.clone();
    let batching = match parts.background.has_threads() {
        true => config.batching,
        false => config.batching.when_driven(),
    };
    let inner = Arc::new(LaneInner::new(parts, selection.name().clone(), batching, config.queue));
    if config.disabled {
        inner.queue().close(DropReason::Disabled);
    }
    let worker = LaneWorker::new(inner.clone(), watched, config);
    let kept = inner.clone();
    parts.background.spawn(async move {
        if supervise::catch_future(pin!(worker.run())).await.is_err() {
            kept.abort();
        }
    });
    Arc::new(Lane { selection, kinds, lifecycle, inner })
}

impl Lane {
    pub(super) fn name(&self) -> &Arc<str> {
        self.selection.name()
    }

    pub(super) fn lifecycle(&self) -> &Arc<dyn Lifecycle> {
        &self.lifecycle
    }

    /// Returns whether the destination takes events of this kind.
    pub(in crate::pipeline) fn takes(&self, kind: Kind) -> bool {
        (self.kinds)(kind)
    }

    /// Returns the names under which events select it.
    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Returns whether this destination gets the event.
    pub(super) fn selects(&self, event: &Event) -> bool {
        self.takes(event.kind()) && self.selection.selects(event)
    }

    /// Queues the event, or drops one if there is no room.
    pub(super) fn offer(&self, message: Arc<Envelope<Message>>) {
        let inner = &self.inner;
        log!(TRACE, destination = %inner.name, message_id = %message.message_id(), "event offered");
        let mut queue = inner.queue();
        let offered = queue.offer(message, || inner.clock.now());
        let has_caught_up = inner.note_behind(&mut queue);
        let wake = offered.wake || (queue.is_flushing() && inner.ledger.is_flushing());
        drop(queue);
        if has_caught_up {
            inner.ledger.capacity.call_next();
        }
        inner.settle(&offered.dropped, Outcome::Dropped(offered.reason), |_| None);
        if !offered.dropped.is_empty() && offered.reason == DropReason::QueueFull {
            inner.emitter.fail_once(Topic::QueueFull, &inner.name, || report::overflow(&inner.name, &inner.limits));
        }
        if wake {
            inner.wake.notify_one();
        }
    }

    /// Returns how many more events or bytes make a batch due, and how long an event that comes now may wait for that.
    pub(super) fn next_batch(&self, now: Duration) -> MaxDelay {
        self.inner.queue().next_batch(now)
    }

    /// Has what waits count as waiting since then, because it waited elsewhere before.
    pub(super) fn set_waiting_since(&self, since: Duration) {
        if self.inner.queue().set_waiting_since(since) {
            self.inner.wake.notify_one();
        }
    }

    /// Sends what waits at once.
    pub(super) fn dispatch(&self) {
        self.inner.queue().dispatch();
        self.inner.wake.notify_one();
    }

    /// Sends what waits at once, and what comes while a flush is under way.
    pub(super) fn flush(&self) {
        self.inner.queue().begin_flush();
        self.inner.wake.notify_one();
    }

    /// Has what comes wait for a full batch again.
    pub(super) fn end_flush(&self) {
        self.inner.queue().end_flush();
    }

    /// Takes no more events. The lane ends when those that it has have their outcome.
    pub(super) fn close(&self) {
        self.inner.close();
    }

    /// Waits until the worker has ended, after [`close`](Self::close) or [`abandon`](Self::abandon).
    pub(super) async fn stopped(&self) {
        self.inner.stopped().await;
    }

    /// Drops everything under way for `reason`. Returns the number of events.
    pub(super) fn abandon(&self, reason: DropReason) -> usize {
        self.inner.abandon(reason)
    }

    /// Takes out everything under way, and takes no more events, for `reason`. The caller has to settle what it gets.
    pub(super) fn take_back(&self, reason: DropReason) -> LaneEvents {
        self.inner.take_back(reason)
    }

    /// Returns the error of the last attempt, if it failed.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn last_error(&self) -> Option<Arc<crate::ledger::DeliveryError>> {
        self.inner.queue().last_error()
    }

    pub(super) fn stats(&self) -> DestinationStats {
        self.inner.stats()
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", self.name()).finish_non_exhaustive()
    }
}
