//! The ledger: counts exactly one outcome for each accepted event.
//!
//! Invariant: `accepted = delivered + Σ dropped(reason) + pending`, at every instant. An event carries a [`Ticket`]
//! from the moment it is accepted. The ticket is settled once. A ticket that is dropped unsettled counts its event as
//! lost, so no event can be forgotten. The ledger knows neither plugins nor destinations.

mod capacity;
mod envelope;
mod flush;
mod notifications;
mod observers;
mod on_delivery;
mod outcome;
mod pending;
mod receipt;
mod stats;
mod ticket;
mod wait;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use capacity::Capacity;
pub(crate) use envelope::Envelope;
pub use flush::FlushReport;
use flush::FlushTally;
pub(crate) use notifications::Notifications;
pub(crate) use observers::Observers;
pub(crate) use outcome::SharedError;
pub use outcome::{DeliveryError, DestinationOutcome, DropReason, Outcome, Settlement};
pub use receipt::Receipt;
pub(crate) use receipt::{Dispatch, Dispatcher};
pub use stats::{DestinationStats, Drops, PluginStats, Stats};
pub(crate) use ticket::Ticket;

use crate::background::Background;
use crate::wait_group::WaitGroup;

/// Called with the number of accepted events when nothing is pending any more.
type OnDrained = Box<dyn Fn(u64) + Send + Sync>;

/// The counts of one client.
pub(crate) struct Ledger {
    pub(crate) capacity: Capacity,
    refused: AtomicU64,
    /// The number of flushes under way.
    flushing: AtomicU64,
    totals: Mutex<Totals>,
    changed: Condvar,
    callbacks: WaitGroup,
    background: Background,
    drained: OnDrained,
}

#[derive(Debug, Default)]
struct Totals {
    delivered: u64,
    dropped: Drops,
    failed_deliveries: u64,
    flushes: Vec<FlushTally>,
    flush_count: u64,
}

impl Ledger {
    pub(crate) fn new(background: Background, drained: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            capacity: Capacity::default(),
            refused: AtomicU64::new(0),
            flushing: AtomicU64::new(0),
            totals: Mutex::default(),
            changed: Condvar::new(),
            callbacks: WaitGroup::default(),
            background,
            drained: Box::new(drained),
        }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.capacity.accepted()
    }

    fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns the number of callbacks of settled events that have not returned.
    pub(crate) fn callbacks(&self) -> u64 {
        self.callbacks.count()
    }

    /// The callbacks of settled events, while they run.
    pub(crate) fn running_callbacks(&self) -> &WaitGroup {
        &self.callbacks
    }

    /// Blocks until the callbacks of settled events have returned, at most `timeout`.
    pub(crate) fn wait_for_callbacks(&self, timeout: Duration) {
        self.callbacks.wait(timeout);
    }

    /// Returns the counts, without the destinations.
    pub(crate) fn stats(&self) -> Stats {
        let totals = self.totals();
        let (delivered, dropped) = (totals.delivered, totals.dropped);
        drop(totals);
        // Read last. What was settled above was accepted before, so nothing can be missing.
        let accepted = self.accepted();
        let pending = accepted - delivered - dropped.total();
        let (queued_events, queued_bytes) = self.capacity.used();
        let (refused, pending_callbacks) = (self.refused(), self.callbacks());
        let counted = Stats { accepted, refused, delivered, dropped, pending, ..Stats::default() };
        Stats { queued_events, queued_bytes, pending_callbacks, ..counted }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an accepted event, before it can be settled. Callers hold the intake's lock: two threads must not call
    /// this at once.
    pub(crate) fn accept(&self, bytes: u32) {
        self.capacity.accept(bytes);
    }

    /// See [`Background::is_forked`].
    pub(crate) fn is_forked(&self) -> bool {
        self.background.is_forked()
    }

    /// Counts a call that was refused.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Settles each ticket for one destination, under one lock. The caller sends the notifications that are `due`.
    pub(crate) fn settle_for_destination<'a>(
        &self,
        tickets: impl Iterator<Item = &'a Ticket> + Clone,
        outcome: Outcome,
        due: &mut Notifications<'_>,
    ) {
        // A destination that drops events makes no room. Otherwise they would come in faster than the others take them.
        if outcome == Outcome::Delivered && self.count_freed(tickets.clone()) {
            due.set_freed();
        }
        if outcome.is_failed() {
            self.count_failed_deliveries(tickets.clone());
        }
        self.count(tickets.filter_map(|ticket| Some((ticket, ticket.complete_one(outcome)?))), due);
    }

    /// Counts events that one destination has lost, before they have their outcome.
    #[cold]
    pub(crate) fn count_failed_deliveries<'a>(&self, tickets: impl Iterator<Item = &'a Ticket>) {
        let mut totals = self.totals();
        for ticket in tickets {
            totals.failed_deliveries += 1;
            totals.flushes.iter_mut().for_each(|flush| flush.count_failed_delivery(ticket.epoch()));
        }
    }

    /// Returns how many deliveries have failed for good.
    pub(crate) fn failed_deliveries(&self) -> u64 {
        self.totals().failed_deliveries
    }

    /// Releases the capacity of events, if nothing has released it before.
    pub(crate) fn release_capacity<'a>(&self, tickets: impl Iterator<Item = &'a Ticket>) {
        if self.count_freed(tickets) {
            self.capacity.call_next();
        }
    }

    /// Counts the capacity that is released, and wakes nobody. Returns whether there is any.
    fn count_freed<'a>(&self, tickets: impl Iterator<Item = &'a Ticket>) -> bool {
        let (events, bytes) = tickets
            .filter(|ticket| ticket.release_once())
            .fold((0, 0), |(events, bytes), ticket| (events + 1, bytes + u64::from(ticket.bytes())));
        self.capacity.count_done(events, bytes);
        events > 0
    }

    /// Returns whether a flush is under way. Then no batch waits until it is full.
    pub(crate) fn is_flushing(&self) -> bool {
        self.flushing.load(Ordering::Acquire) > 0
    }

    /// Settles tickets for all destinations, under one lock, and notifies the observers.
    pub(crate) fn settle<'a>(&self, tickets: impl IntoIterator<Item = (&'a Ticket, Outcome)>) {
        let mut due = Notifications::new(self);
        self.count(tickets, &mut due);
        due.notify();
    }

    /// Counts outcomes, under one lock. The caller sends the notifications that are `due`. No user code runs here, and
    /// no wakers or drops of user code either: they could use the client, and wait for this lock.
    pub(crate) fn count<'a>(
        &self,
        tickets: impl IntoIterator<Item = (&'a Ticket, Outcome)>,
        due: &mut Notifications<'_>,
    ) {
        let mut any = false;
        let mut totals = self.totals();
        for (ticket, outcome) in tickets {
            if !ticket.settle_once() {
                continue;
            }
            any = true;
            totals.count(ticket.epoch(), outcome);
            if ticket.has_observers() {
                // Before its capacity is released, because an event with callbacks keeps it.
                due.add(ticket, outcome);
            }
            if ticket.has_destinations() {
                self.count_freed(std::iter::once(ticket));
            } else {
                self.capacity.count_early(ticket.bytes());
            }
            due.set_freed();
        }
        let accepted = self.accepted();
        let drained = any && totals.settled() == accepted;
        let flushed = totals.flushes.iter().any(|flush| flush.report.pending == 0);
        drop(totals);
        if drained {
            due.set_drained(accepted);
        }
        if drained || flushed {
            self.changed.notify_all();
            due.set_changed();
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl Totals {
    fn count(&mut self, epoch: u64, outcome: Outcome) {
        match outcome {
            Outcome::Delivered => self.delivered += 1,
            Outcome::Dropped(reason) => self.dropped.add(reason, 1),
        }
        self.flushes.iter_mut().for_each(|flush| flush.count(epoch, outcome));
    }

    fn is_flushed(&self, flush: u64) -> bool {
        self.flushes.iter().find(|tally| tally.id == flush).is_none_or(|tally| tally.report.pending == 0)
    }

    fn settled(&self) -> u64 {
        self.delivered + self.dropped.total()
    }
}
