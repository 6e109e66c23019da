//! The token that an accepted event carries until its outcome is counted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pending::{DELIVERED, PendingDestinations};
use super::{DropReason, Ledger, Observers, Outcome, Settlement};

/// Stands for one accepted event in the ledger. It is settled once. If it is dropped before, it settles itself as lost.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    epoch: u64,
    bytes: u32,
    /// The number of events that led to this one.
    depth: u8,
    pending: PendingDestinations,
    has_destinations: bool,
    /// The reason of an event that a plugin dropped into a quarantine.
    quarantined: Option<DropReason>,
    state: Option<Box<Mutex<State>>>,
    /// The reason that is counted if the ticket is dropped before it is settled.
    default_reason: DropReason,
}

/// The observers while the event is open; afterwards the settlement, until after plugins take it.
pub(super) enum State {
    Open(Observers),
    Ended(Option<Settlement>),
}

impl Ticket {
    /// Creates the ticket of an event that [`Ledger::accept`] has counted. `bytes` is its size in queues.
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        epoch: u64,
        bytes: u32,
        depth: u8,
        observers: Option<Box<Observers>>,
    ) -> Self {
        Self {
            ledger,
            epoch,
            bytes,
            depth,
            pending: PendingDestinations::default(),
            has_destinations: false,
            quarantined: None,
            state: observers.map(|observers| Box::new(Mutex::new(State::Open(*observers)))),
            // On its way to the stages it is dropped only with the runtime.
            default_reason: DropReason::Closed,
        }
    }

    /// Sets the reason that is counted if the ticket is dropped before it is settled. Between intake and destinations
    /// user code holds the event, and may drop it.
    pub(crate) fn set_drop_reason(&mut self, reason: DropReason) {
        self.default_reason = reason;
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Returns whether this ledger counts the event.
    pub(crate) fn is_of(&self, ledger: &Arc<Ledger>) -> bool {
        Arc::ptr_eq(&self.ledger, ledger)
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) fn bytes(&self) -> u32 {
        self.bytes
    }

    pub(crate) fn depth(&self) -> u8 {
        self.depth
    }

    pub(crate) fn has_observers(&self) -> bool {
        self.state.is_some()
    }

    /// Settles the ticket. Returns whether this call did; no other will.
    pub(super) fn settle_once(&self) -> bool {
        self.pending.settle_once()
    }

    /// Releases the event's capacity. Returns whether this call did; no other will.
    pub(super) fn release_once(&self) -> bool {
        self.pending.release_once()
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        Some(self.state.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the observers out.
    pub(super) fn take_observers(&self) -> Option<Observers> {
        match std::mem::replace(&mut *self.state()?, State::Ended(None)) {
            State::Open(observers) => Some(observers),
            State::Ended(_) => None,
        }
    }

    /// Stores the settlement for [`take_settlement`](Self::take_settlement).
    pub(super) fn store_settlement(&self, settlement: Settlement) {
        if let Some(mut state) = self.state() {
            *state = State::Ended(Some(settlement));
        }
    }

    /// Takes the settlement, if it is there and kept for after plugins.
    pub(crate) fn take_settlement(&self) -> Option<Settlement> {
        match &mut *self.state()? {
            State::Open(_) => None,
            State::Ended(settlement) => settlement.take(),
        }
    }

    /// Keeps the settlement for after plugins.
    pub(crate) fn keep_for_after(&mut self) {
        let state = self.state.get_or_insert_with(|| Box::new(Mutex::new(State::Open(Observers::default()))));
        if let State::Open(observers) = state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            observers.keep = true;
        }
    }

    /// Calls `change` with the observers, if there are any and the event is open.
    pub(crate) fn with_observers(&self, change: impl FnOnce(&mut Observers)) {
        if let Some(mut state) = self.state()
            && let State::Open(observers) = &mut *state
        {
            change(observers);
        }
    }

    /// Hands the event back. Returns whether this call did; no other will.
    pub(crate) fn hand_back_once(&self) -> bool {
        self.pending.hand_back_once()
    }

    /// Sets how many destinations have the event. Their outcomes make its outcome.
    pub(crate) fn set_destinations(&mut self, destinations: u32) {
        self.pending.set_count(destinations);
        self.default_reason = DropReason::Internal;
        self.has_destinations = true;
    }

    /// Gives the event to a quarantine. Its outcome is then a drop for `reason`, whatever the quarantine does with it.
    pub(crate) fn set_quarantined(&mut self, reason: DropReason) {
        self.set_destinations(1);
        self.quarantined = Some(reason);
        self.default_reason = reason;
    }

    /// Returns whether destinations have the event.
    pub(super) fn has_destinations(&self) -> bool {
        self.has_destinations
    }

    /// Completes the event for one destination. Returns the outcome for all of them, if it was the last.
    ///
    /// The event is delivered if any destination took it. Otherwise it is lost if any has lost it, for the reason of
    /// the last one that did. Otherwise this outcome counts.
    pub(super) fn complete_one(&self, outcome: Outcome) -> Option<Outcome> {
        let greatest = self.pending.complete_one(rank(outcome))?;
        if let Some(reason) = self.quarantined {
            return Some(Outcome::Dropped(reason));
        }
        match greatest {
            DELIVERED => Some(Outcome::Delivered),
            loss if loss > 0 && !outcome.is_failed() => {
                DropReason::ALL.get(usize::from(loss) - 1).copied().map(Outcome::Dropped)
            }
            _ => Some(outcome),
        }
    }

    /// Settles this one ticket.
    pub(crate) fn settle(&self, outcome: Outcome) {
        self.ledger.settle([(self, outcome)]);
    }
}

/// Returns 0 for a drop on purpose, more for a loss, and the most for a delivery.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Delivered => DELIVERED,
        Outcome::Dropped(reason) if outcome.is_failed() => reason as u8 + 1,
        Outcome::Dropped(_) => 0,
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.pending.is_settled() {
            let ours = std::thread::panicking() && self.default_reason == DropReason::Closed;
            self.settle(Outcome::Dropped(if ours { DropReason::Internal } else { self.default_reason }));
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("epoch", &self.epoch)
            .field("settled", &self.pending.is_settled())
            .finish_non_exhaustive()
    }
}
