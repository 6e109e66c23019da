//! The notifications that are due once events have their outcome.
//!
//! Invariant: they are collected under the lock of the totals, so that a flush that returns has its receipts and waits
//! for its callbacks. They are sent when no lock is held, because wakers and callbacks are user code.

use std::sync::{Arc, Weak};

use super::observers::{Callback, Observers};
use super::receipt::ReceiptSender;
use super::{Ledger, Outcome, Settlement, Ticket};
use crate::supervise::hops;
use crate::wait_group::WaitGuard;

/// The notifications that are due after events were settled.
#[must_use = "nothing is sent until `notify` is called"]
pub(crate) struct Notifications<'l> {
    ledger: &'l Ledger,
    /// Receipts that have their settlement, and whose wakers are called.
    receipts: Vec<ReceiptSender>,
    /// Settlements without a receipt. One may hold the last reference to an error of a plugin, so it is dropped after
    /// the others were notified.
    ends: Vec<Settlement>,
    calls: Vec<PendingCallback>,
    /// Set if capacity was released.
    freed: bool,
    /// Set if those who await a flush are to check again.
    changed: bool,
    /// Set if nothing is pending any more, to the number of events that were accepted.
    drained: Option<u64>,
}

/// A callback and its argument.
struct PendingCallback {
    callback: Callback,
    settlement: Settlement,
    depth: u8,
    held: Arc<HeldCapacity>,
    guard: WaitGuard,
}

/// Capacity that a settled event takes until the last of its callbacks has returned.
struct HeldCapacity {
    ledger: Weak<Ledger>,
    bytes: u32,
}

impl Drop for HeldCapacity {
    fn drop(&mut self) {
        if let Some(ledger) = self.ledger.upgrade() {
            ledger.capacity.called_back(self.bytes);
        }
    }
}

impl<'l> Notifications<'l> {
    pub(crate) fn new(ledger: &'l Ledger) -> Self {
        Self {
            ledger,
            receipts: Vec::new(),
            ends: Vec::new(),
            calls: Vec::new(),
            freed: false,
            changed: false,
            drained: None,
        }
    }

    /// Has the caller called that waits longest for room.
    pub(crate) fn set_freed(&mut self) {
        self.freed = true;
    }

    pub(super) fn set_changed(&mut self) {
        self.changed = true;
    }

    pub(super) fn set_drained(&mut self, accepted: u64) {
        self.drained = Some(accepted);
    }

    /// Adds the observers of an event that has just got this outcome. An event with callbacks takes capacity until they
    /// have returned. So callbacks that block are bounded like events.
    pub(super) fn add(&mut self, ticket: &Ticket, outcome: Outcome) {
        let Some(observers) = ticket.take_observers() else { return };
        let Observers { callbacks, receipt, message_id, destinations, keep } = observers;
        let settlement = Settlement { message_id, outcome, destinations };
        if keep {
            ticket.store_settlement(settlement.clone());
        }
        if !callbacks.is_empty() {
            self.ledger.capacity.call_back(ticket.bytes());
            let held = Arc::new(HeldCapacity { ledger: Arc::downgrade(ticket.ledger()), bytes: ticket.bytes() });
            self.calls.extend(callbacks.into_iter().map(|callback| PendingCallback {
                callback,
                settlement: settlement.clone(),
                depth: ticket.depth(),
                held: held.clone(),
                guard: self.ledger.callbacks.enter(),
            }));
        }
        match receipt {
            Some(mut receipt) => {
                receipt.put(settlement);
                self.receipts.push(receipt);
            }
            None => self.ends.push(settlement),
        }
    }

    /// Sends them. No lock may be held.
    pub(crate) fn notify(self) {
        let Self { ledger, receipts, ends, calls, freed, changed, drained } = self;
        if let Some(accepted) = drained {
            (ledger.drained)(accepted);
        }
        // On other threads, because a callback may panic or hang.
        for PendingCallback { callback, settlement, depth, held, guard } in calls {
            ledger.background.spawn_callback(move || {
                // Dropped when the callback has returned or panicked.
                let _held = (held, guard);
                let _scope = hops::follow(depth);
                callback(&settlement);
            });
        }
        // Foreign code comes last, because a waker that hangs would delay the other notifications.
        if changed {
            ledger.background.set_changed();
        }
        if freed {
            ledger.capacity.call_next();
        }
        receipts.into_iter().for_each(ReceiptSender::wake);
        drop(ends);
    }
}
