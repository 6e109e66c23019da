//! The token that an accepted event carries until its outcome is counted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::shares::Shares;
use super::{DropReason, Ledger, Outcome, Settlement, Watch};

/// One accepted event in the books. Settled once; dropped unsettled, it settles itself as lost.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    epoch: u64,
    bytes: u32,
    /// How many events led to this one.
    depth: u8,
    shares: Shares,
    shared: bool,
    watch: Option<Box<Mutex<Watched>>>,
    /// What a ticket that is dropped unsettled is counted as.
    unsettled: DropReason,
}

/// Who watches, and then, for after plugins, what they are to see.
pub(super) enum Watched {
    Open(Watch),
    Ended(Option<Settlement>),
}

impl Ticket {
    /// The ticket of an event that [`Ledger::accept`] has counted. `bytes` is what it weighs in queues.
    pub(crate) fn new(ledger: Arc<Ledger>, epoch: u64, bytes: u32, depth: u8, watch: Option<Box<Watch>>) -> Self {
        Self {
            ledger,
            epoch,
            bytes,
            depth,
            shares: Shares::default(),
            shared: false,
            watch: watch.map(|watch| Box::new(Mutex::new(Watched::Open(*watch)))),
            // On its way it is only ever dropped with the runtime.
            unsettled: DropReason::Closed,
        }
    }

    /// Between accepting and reaching destinations, user code holds the event: losing it is its decision.
    pub(crate) fn blame(&mut self, reason: DropReason) {
        self.unsettled = reason;
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
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

    pub(crate) fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// Whether this call settled the ticket; no other will.
    pub(super) fn settle_once(&self) -> bool {
        self.shares.settle_once()
    }

    /// Whether this call is the first by which a destination is done with the event.
    pub(super) fn free_once(&self) -> bool {
        self.shares.free_once()
    }

    fn watched(&self) -> Option<MutexGuard<'_, Watched>> {
        Some(self.watch.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the watch.
    pub(super) fn take_watch(&self) -> Option<Watch> {
        match std::mem::replace(&mut *self.watched()?, Watched::Ended(None)) {
            Watched::Open(watch) => Some(watch),
            Watched::Ended(_) => None,
        }
    }

    /// Keeps the end of the event for [`take_settlement`](Self::take_settlement).
    pub(super) fn keep(&self, settlement: Settlement) {
        if let Some(mut watched) = self.watched() {
            *watched = Watched::Ended(Some(settlement));
        }
    }

    /// The end of the event, once, if after plugins are to see it and it has come.
    pub(crate) fn take_settlement(&self) -> Option<Settlement> {
        match &mut *self.watched()? {
            Watched::Open(_) => None,
            Watched::Ended(settlement) => settlement.take(),
        }
    }

    /// Has the end of the event kept for after plugins.
    pub(crate) fn keep_for_after(&mut self) {
        let watch = self.watch.get_or_insert_with(|| Box::new(Mutex::new(Watched::Open(Watch::default()))));
        if let Watched::Open(watch) = watch.get_mut().unwrap_or_else(PoisonError::into_inner) {
            watch.keep = true;
        }
    }

    /// Lets whoever watches the event know more about its end.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Watch)) {
        if let Some(mut watched) = self.watched()
            && let Watched::Open(watch) = &mut *watched
        {
            note(watch);
        }
    }

    /// Whether this call hands the event back; no other will.
    pub(crate) fn hand_back_once(&self) -> bool {
        self.shares.hand_back_once()
    }

    /// From now on the outcomes of `destinations` make the outcome of the event.
    pub(crate) fn share(&mut self, destinations: u32) {
        self.shares.divide(destinations);
        self.unsettled = DropReason::Internal;
        self.shared = true;
    }

    /// Whether destinations have the event.
    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    /// One destination is done. Returns the outcome altogether, if it was the last.
    pub(super) fn settle_share(&self, outcome: Outcome) -> Option<Outcome> {
        let any_delivered = self.shares.settle_share(outcome.is_delivered())?;
        Some(if any_delivered { Outcome::Delivered } else { outcome })
    }

    /// Settles this one ticket.
    pub(crate) fn settle(&self, outcome: Outcome) {
        self.ledger.settle([(self, outcome)]);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.shares.is_settled() {
            let ours = std::thread::panicking() && self.unsettled == DropReason::Closed;
            self.settle(Outcome::Dropped(if ours { DropReason::Internal } else { self.unsettled }));
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("epoch", &self.epoch)
            .field("settled", &self.shares.is_settled())
            .finish_non_exhaustive()
    }
}
