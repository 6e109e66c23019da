//! Who is told of the end of one event, and how.
//!
//! Always: who is to be told is found out under the books' lock, so that a flush that returns has its receipts and waits
//! for its callbacks; they are told when no lock is held, for wakers and callbacks are user code.

use std::fmt;
use std::sync::{Arc, Weak};

use super::receipt::ReceiptSender;
use super::{DestinationOutcome, Ledger, Outcome, Settlement, Ticket};
use crate::reentry;
use crate::running::Busy;

/// What is called with the end of an event.
type Callback = Box<dyn FnOnce(&Settlement) + Send + Sync>;

/// Who is told of the end of one event, and what is known of it so far.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) receipt: Option<ReceiptSender>,
    pub(crate) message_id: String,
    pub(crate) destinations: Vec<DestinationOutcome>,
    /// Keep the settlement in the ticket, for after plugins.
    pub(super) keep: bool,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("callbacks", &self.callbacks.len()).finish_non_exhaustive()
    }
}

/// Whoever is to be told of what was settled.
#[must_use = "nobody is told unless this is asked to"]
pub(crate) struct Due<'l> {
    ledger: &'l Ledger,
    /// How watched events ended, with their receipts, whose wakers are called. An error in it may be the last of its
    /// kind: it is dropped when they have been told.
    ends: Vec<(Settlement, Option<ReceiptSender>)>,
    calls: Vec<DueCall>,
    /// Room was given back.
    freed: bool,
    /// Nothing is pending any more, and so many events were accepted.
    drained: Option<u64>,
}

/// A callback, and what it is to be called with.
struct DueCall {
    callback: Callback,
    settlement: Settlement,
    depth: u8,
    held: Held,
    busy: Busy,
}

/// The room of an event that was settled, until the last of its callbacks has returned.
type Held = Arc<HeldRoom>;

struct HeldRoom {
    ledger: Weak<Ledger>,
    bytes: u32,
}

impl Drop for HeldRoom {
    fn drop(&mut self) {
        if let Some(ledger) = self.ledger.upgrade() {
            ledger.room.called_back(self.bytes);
        }
    }
}

impl<'l> Due<'l> {
    pub(super) fn nobody(ledger: &'l Ledger) -> Self {
        Self { ledger, ends: Vec::new(), calls: Vec::new(), freed: false, drained: None }
    }

    pub(super) fn free(&mut self) {
        self.freed = true;
    }

    pub(super) fn drain(&mut self, accepted: u64) {
        self.drained = Some(accepted);
    }

    /// Finds out who watched the event that has this outcome now. If it has callbacks, it takes room on until they
    /// have returned, so that callbacks that block are bounded as events are.
    pub(super) fn add(&mut self, ticket: &Ticket, outcome: Outcome) {
        let Some(watch) = ticket.take_watch() else { return };
        let Watch { callbacks, mut receipt, message_id, destinations, keep } = watch;
        let settlement = Settlement { message_id, outcome, destinations };
        if keep {
            ticket.keep(settlement.clone());
        }
        if !callbacks.is_empty() {
            self.ledger.room.call_back(ticket.bytes());
            let held = Arc::new(HeldRoom { ledger: Arc::downgrade(ticket.ledger()), bytes: ticket.bytes() });
            self.calls.extend(callbacks.into_iter().map(|callback| DueCall {
                callback,
                settlement: settlement.clone(),
                depth: ticket.depth(),
                held: held.clone(),
                busy: self.ledger.callbacks.enter(),
            }));
        }
        if let Some(receipt) = &mut receipt {
            receipt.put(settlement.clone());
        }
        self.ends.push((settlement, receipt));
    }

    /// Tells them. No lock may be held.
    pub(crate) fn tell(self) {
        let Self { ledger, ends, calls, freed, drained } = self;
        if freed {
            ledger.room.call_next();
        }
        if let Some(accepted) = drained {
            (ledger.drained)(accepted);
        }
        // Away from the pipeline: a callback may panic or hang without effect on it.
        for DueCall { callback, settlement, depth, held, busy } in calls {
            ledger.background.call_back(move || {
                // Given back when the callback has returned, or panicked.
                let _running = (held, busy);
                let _scope = reentry::because_of(depth);
                callback(&settlement);
            });
        }
        ends.into_iter().filter_map(|(_, receipt)| receipt).for_each(ReceiptSender::wake);
    }
}
