//! A receipt: waits for the outcome of one event.
//!
//! Invariant: the settlement is stored and the waker taken out under the receipt's own lock. The waker is called when
//! no lock is held, because it is user code and may run the whole task that waits. A sender that is dropped settles the
//! receipt, too.

#[cfg(not(target_family = "wasm"))]
mod blocking;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use super::{DropReason, Outcome, Settlement};
use crate::background::Driver;
use crate::{process, supervise};

/// The outcome of one event, to wait for: a future, or [`wait`](Receipt::wait) for code that is not async.
///
/// A receipt that is waited for does not wait for a batch to fill. When it is first polled, every event that waits at
/// that moment leaves at once. So `send_with_receipt(…)?.await` takes the time of one request, not the ten seconds of
/// `flush_interval`. To wait for many events, send all of them first. A receipt that nobody waits for changes nothing.
///
/// ```
/// use tracklane::segment::Segment;
/// use tracklane::testing::TrackingApi;
/// use tracklane::{Analytics, Track};
///
/// let api = TrackingApi::start()?;
/// let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url())).build()?;
/// let receipt = analytics.send_with_receipt(Track::new("Signed Up").user_id("u1"))?;
/// assert!(receipt.wait().is_delivered());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It needs no runtime of its own. Dropping it has no effect on the event. If the client ends without having processed
/// the event, the outcome is [`Closed`](DropReason::Closed). So it is for a receipt in a forked child: the event is its
/// parent's.
#[must_use = "the event is sent without it, too: await it for the outcome, or send without a receipt"]
pub struct Receipt {
    slot: Arc<Mutex<ReceiptState>>,
    /// The process that accepted the event. Only there the receipt is settled.
    process: u32,
    /// Set until the receipt is waited for.
    dispatch: Option<Dispatch>,
    /// From then on, if the client has to be driven.
    driver: Option<Box<Driver>>,
}

/// Sends batches before they are full.
pub(crate) trait Dispatcher: Send + Sync {
    /// Returns a driver of the client, if the client has to be driven.
    fn driver(&self) -> Option<Driver>;

    /// Sends everything that waits, unless there was a dispatch since there were `seen` of them.
    fn dispatch(&self, seen: u64);
}

/// The dispatch that a receipt makes when it is first waited for.
pub(crate) struct Dispatch {
    pub(crate) dispatcher: Weak<dyn Dispatcher>,
    /// The number of dispatches before the event.
    pub(crate) seen: u64,
}

/// Settles the [`Receipt`].
pub(crate) struct ReceiptSender {
    slot: Arc<Mutex<ReceiptState>>,
}

/// The settlement, and who waits for it.
#[derive(Default)]
struct ReceiptState {
    end: Option<Settlement>,
    waker: Option<Waker>,
}

impl Receipt {
    /// Makes the receipt of an event that the process `process` accepts.
    pub(crate) fn new(process: u32) -> (ReceiptSender, Self) {
        let slot = Arc::<Mutex<ReceiptState>>::default();
        (ReceiptSender { slot: slot.clone() }, Self { slot, process, dispatch: None, driver: None })
    }

    /// Sends the event when the receipt is first waited for.
    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = Some(dispatch);
    }

    /// Returns the settlement in a forked process. Nobody settles the receipt there, and a lock may be held for ever:
    /// the settlement is there only if it was known before.
    #[cold]
    fn of_the_parent(&self) -> Settlement {
        self.known().unwrap_or_else(closed)
    }

    /// Returns the settlement, if it is there and nobody holds the lock.
    fn known(&self) -> Option<Settlement> {
        self.slot.try_lock().ok().and_then(|slot| slot.end.clone())
    }
}

impl Future for Receipt {
    type Output = Settlement;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settlement> {
        // What is known is true in a forked process, too, and to notice a fork takes a system call.
        if let Some(end) = self.known() {
            self.driver = None;
            return Poll::Ready(end);
        }
        if process::id() != self.process {
            return Poll::Ready(self.of_the_parent());
        }
        // Cloning and dropping a waker is user code, too.
        let waker = cx.waker().clone();
        let mut slot = lock(&self.slot);
        if let Some(end) = &slot.end {
            let end = end.clone();
            drop(slot);
            self.driver = None;
            return Poll::Ready(end);
        }
        let before = slot.waker.replace(waker);
        drop(slot);
        drop(before);
        if let Some(Dispatch { dispatcher, seen }) = self.dispatch.take()
            && let Some(dispatcher) = dispatcher.upgrade()
        {
            dispatcher.dispatch(seen);
            self.driver = dispatcher.driver().map(Box::new);
        }
        if let Some(driver) = &mut self.driver {
            driver.drive(cx);
        }
        Poll::Pending
    }
}

impl ReceiptSender {
    /// Stores the settlement. [`wake`](Self::wake) wakes whoever waits for it later.
    pub(super) fn put(&mut self, end: Settlement) {
        lock(&self.slot).end.get_or_insert(end);
    }

    /// Wakes whoever waits for the settlement, and catches a panic. No lock may be held.
    pub(super) fn wake(self) {}
}

impl Drop for ReceiptSender {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.end.get_or_insert_with(closed);
        let waker = slot.waker.take();
        drop(slot);
        if supervise::catch(|| waker.map(Waker::wake)).is_err() {
            supervise::log!(ERROR, what = "waker", "panicked; the panic was caught");
        }
    }
}

/// Makes the settlement of an event of which nothing is known.
fn closed() -> Settlement {
    let outcome = Outcome::Dropped(DropReason::Closed);
    Settlement { message_id: String::new(), outcome, destinations: Vec::new() }
}

fn lock(slot: &Mutex<ReceiptState>) -> MutexGuard<'_, ReceiptState> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.slot.try_lock().ok().map(|slot| slot.end.is_some());
        f.debug_struct("Receipt").field("ended", &ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sender_that_is_dropped_tells_that_the_client_ended() {
        let (sender, receipt) = Receipt::new(process::id());
        let waiting = thread::spawn(move || receipt.wait());
        drop(sender);
        assert_eq!(waiting.join().unwrap().outcome, Outcome::Dropped(DropReason::Closed));
    }

    #[test]
    fn an_end_that_was_put_down_can_be_read_again() {
        let (mut sender, receipt) = Receipt::new(process::id());
        let end = Settlement { message_id: "m".into(), outcome: Outcome::Delivered, destinations: Vec::new() };
        let mut receipt = receipt.wait_timeout(Duration::ZERO).unwrap_err();
        sender.put(end);
        sender.wake();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            let Poll::Ready(end) = Pin::new(&mut receipt).poll(&mut cx) else { panic!("it has ended") };
            assert!(end.is_delivered());
        }
    }
}
