//! Who waits for the end of one event: callbacks and a receipt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::{DestinationOutcome, DropReason, Ledger, Outcome, Settlement, Ticket};
use crate::reentry;

/// What is called with the end of an event.
type Callback = Box<dyn FnOnce(&Settlement) + Send + Sync>;

/// Who is told of the end of one event, and what is known of it so far.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) receipt: Option<oneshot::Sender<Settlement>>,
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

impl Ledger {
    /// Tells whoever watched an event, away from the pipeline: a callback may panic or hang without effect on it.
    pub(super) fn tell(&self, ticket: &Ticket, outcome: Outcome) {
        let Some(watch) = ticket.take_watch() else { return };
        let Watch { callbacks, receipt, message_id, destinations, keep } = watch;
        let settlement = Settlement { message_id, outcome, destinations };
        if keep {
            ticket.keep(settlement.clone());
        }
        if let Some(receipt) = receipt {
            // Nobody may be waiting any more.
            let _ = receipt.send(settlement.clone());
        }
        for callback in callbacks {
            let settlement = settlement.clone();
            let (busy, depth) = (self.callbacks.enter(), ticket.depth());
            self.background.run_blocking("callback", move || {
                let _scope = reentry::because_of(depth);
                callback(&settlement);
                drop(busy);
            });
        }
    }
}

/// The end of one event, to wait for: a future, or [`wait`](Receipt::wait) where there is no async code.
///
/// It needs no runtime of its own, and dropping it costs the event nothing.
#[derive(Debug)]
#[must_use = "a receipt does nothing unless it is awaited"]
pub struct Receipt {
    pub(crate) receiver: oneshot::Receiver<Settlement>,
}

impl Receipt {
    /// Blocks the thread until the event has its outcome. Every retry is included, so this can take hours if the
    /// destination is down; `flush` has a deadline.
    #[must_use]
    pub fn wait(self) -> Settlement {
        pollster::block_on(self)
    }
}

impl Receipt {
    /// The end of the event, if it has come.
    #[must_use]
    pub fn now(mut self) -> Option<Settlement> {
        self.receiver.try_recv().ok()
    }
}

impl Future for Receipt {
    type Output = Settlement;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settlement> {
        Pin::new(&mut self.receiver).poll(cx).map(|settlement| {
            settlement.unwrap_or_else(|_| Settlement {
                message_id: String::new(),
                outcome: Outcome::Dropped(DropReason::Internal),
                destinations: Vec::new(),
            })
        })
    }
}
