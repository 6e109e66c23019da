//! Who waits for the end of one event: callbacks and a receipt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{DestinationOutcome, DropReason, Ledger, Outcome, Settlement, Ticket};
use crate::reentry;
use crate::running::Busy;

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

/// A callback, and what it is to be called with.
pub(super) struct DueCall {
    callback: Callback,
    settlement: Settlement,
    depth: u8,
    busy: Busy,
}

impl Ledger {
    /// Tells whoever watched an event of its end. Returns the callbacks: they are to be [called](Self::call) when no lock
    /// is held.
    pub(super) fn tell(&self, ticket: &Ticket, outcome: Outcome) -> Vec<DueCall> {
        let Some(watch) = ticket.take_watch() else { return Vec::new() };
        let Watch { callbacks, receipt, message_id, destinations, keep } = watch;
        let settlement = Settlement { message_id, outcome, destinations };
        if keep {
            ticket.keep(settlement.clone());
        }
        if let Some(receipt) = receipt {
            // Nobody may be waiting any more.
            let _ = receipt.send(settlement.clone());
        }
        let due = |callback| DueCall {
            callback,
            settlement: settlement.clone(),
            depth: ticket.depth(),
            busy: self.callbacks.enter(),
        };
        callbacks.into_iter().map(due).collect()
    }

    /// Calls back, away from the pipeline: a callback may panic or hang without effect on it.
    pub(super) fn call(&self, due: Vec<DueCall>) {
        for DueCall { callback, settlement, depth, busy } in due {
            self.background.call_back(move || {
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
    /// destination is down; [`wait_timeout`](Self::wait_timeout) has a limit.
    #[must_use]
    pub fn wait(mut self) -> Settlement {
        loop {
            match self.wait_timeout(Duration::MAX) {
                Ok(settlement) => return settlement,
                Err(receipt) => self = receipt,
            }
        }
    }

    /// Blocks the thread until the event has its outcome, at most `timeout`.
    ///
    /// # Errors
    ///
    /// If the event had no outcome in time: the receipt, to wait again.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Settlement, Self> {
        let start = Instant::now();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            if let Poll::Ready(settlement) = Pin::new(&mut self).poll(&mut Context::from_waker(&waker)) {
                return Ok(settlement);
            }
            match timeout.checked_sub(start.elapsed()) {
                Some(left) if left > Duration::ZERO => thread::park_timeout(left),
                _ => return Err(self),
            }
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
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
