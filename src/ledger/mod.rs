//! The books: every accepted event ends in exactly one counted outcome.
//!
//! Always: `accepted = delivered + Σ dropped(reason) + pending`, at every instant. An event carries a [`Ticket`]
//! from the moment it is accepted; the ticket is settled once, and one that is dropped unsettled counts itself as
//! lost, so forgetting an event is impossible. The ledger knows neither plugins nor destinations.

mod flush;
mod outcome;
mod receipt;
mod room;
mod shares;
mod stats;
mod ticket;
mod watch;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use flush::FlushReport;
use flush::FlushTally;
pub use outcome::{DeliveryError, DestinationOutcome, DropReason, Outcome, Settlement};
pub use receipt::Receipt;
pub(crate) use room::Room;
pub use stats::{DestinationStats, Drops, PluginStats, Stats};
pub(crate) use ticket::Ticket;
pub(crate) use watch::{Due, Watch};

use crate::background::Background;
use crate::running::Running;

/// Who is told that nothing is pending any more, and how many events were accepted so far.
type Drained = Box<dyn Fn(u64) + Send + Sync>;

/// Counts of one client.
pub(crate) struct Ledger {
    pub(crate) room: Room,
    refused: AtomicU64,
    /// Flushes under way.
    flushing: AtomicU64,
    books: Mutex<Books>,
    changed: Condvar,
    callbacks: Running,
    background: Background,
    drained: Drained,
}

#[derive(Debug, Default)]
struct Books {
    delivered: u64,
    dropped: Drops,
    flushes: Vec<FlushTally>,
    flush_count: u64,
}

impl Ledger {
    pub(crate) fn new(background: Background, drained: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            room: Room::default(),
            refused: AtomicU64::new(0),
            flushing: AtomicU64::new(0),
            books: Mutex::default(),
            changed: Condvar::new(),
            callbacks: Running::default(),
            background,
            drained: Box::new(drained),
        }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.room.accepted()
    }

    fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Callbacks of settled events that have not returned.
    pub(crate) fn callbacks(&self) -> u64 {
        self.callbacks.count()
    }

    /// Blocks until the callbacks of settled events have returned, at most `timeout`.
    pub(crate) fn wait_for_callbacks(&self, timeout: Duration) {
        self.callbacks.wait(timeout);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an accepted event, before anybody can settle it. Not to be called by two threads at once: calls hold the
    /// intake's lock.
    pub(crate) fn accept(&self, bytes: u32) {
        self.room.accept(bytes);
    }

    /// See [`Background::is_forked`].
    pub(crate) fn is_forked(&self) -> bool {
        self.background.is_forked()
    }

    /// Counts a call that was refused.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Settles one destination's share of each ticket, under one lock. Whoever is to know is told by the caller.
    pub(crate) fn settle_shares<'a>(
        &self,
        tickets: impl Iterator<Item = &'a Ticket> + Clone,
        outcome: Outcome,
    ) -> Due<'_> {
        let mut due = Due::nobody(self);
        if self.count_freed(tickets.clone()) {
            due.free();
        }
        self.count(tickets.filter_map(|ticket| Some((ticket, ticket.settle_share(outcome)?))), &mut due);
        due
    }

    /// Gives back the room of events that a destination is done with, if it is the first.
    pub(crate) fn free_room<'a>(&self, tickets: impl Iterator<Item = &'a Ticket>) {
        if self.count_freed(tickets) {
            self.room.call_next();
        }
    }

    /// Counts the room that is given back; whoever waits for it is not woken. Whether it is any.
    fn count_freed<'a>(&self, tickets: impl Iterator<Item = &'a Ticket>) -> bool {
        let (events, bytes) = tickets
            .filter(|ticket| ticket.free_once())
            .fold((0, 0), |(events, bytes), ticket| (events + 1, bytes + u64::from(ticket.bytes())));
        self.room.count_done(events, bytes);
        events > 0
    }

    /// Whether somebody waits for a flush: then nothing waits for its batch to fill.
    pub(crate) fn is_flushing(&self) -> bool {
        self.flushing.load(Ordering::Acquire) > 0
    }

    /// Settles tickets altogether, under one lock, and tells whoever is to know.
    pub(crate) fn settle<'a>(&self, tickets: impl IntoIterator<Item = (&'a Ticket, Outcome)>) {
        let mut due = Due::nobody(self);
        self.count(tickets, &mut due);
        due.tell();
    }

    /// Counts outcomes. No user code runs here, wakers and drops included: it could use the client, and wait for this
    /// very lock.
    fn count<'a>(&self, tickets: impl IntoIterator<Item = (&'a Ticket, Outcome)>, due: &mut Due<'_>) {
        let mut any = false;
        let mut books = self.books();
        for (ticket, outcome) in tickets {
            if !ticket.settle_once() {
                continue;
            }
            any = true;
            books.count(ticket.epoch(), outcome);
            if ticket.is_watched() {
                // Before its room is given back: one with callbacks keeps it.
                due.add(ticket, outcome);
            }
            if ticket.is_shared() {
                self.count_freed(std::iter::once(ticket));
            } else {
                self.room.count_early(ticket.bytes());
            }
            due.free();
        }
        let accepted = self.accepted();
        let drained = any && books.settled() == accepted;
        let flushed = books.flushes.iter().any(|flush| flush.report.pending == 0);
        drop(books);
        if drained {
            due.drain(accepted);
        }
        if drained || flushed {
            self.changed.notify_all();
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("room", &self.room).finish_non_exhaustive()
    }
}

impl Books {
    fn count(&mut self, epoch: u64, outcome: Outcome) {
        match outcome {
            Outcome::Delivered => self.delivered += 1,
            Outcome::Dropped(reason) => self.dropped.add(reason, 1),
        }
        self.flushes.iter_mut().for_each(|flush| flush.count(epoch, outcome));
    }

    fn settled(&self) -> u64 {
        self.delivered + self.dropped.total()
    }
}
