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

/// The end of one event, to wait for: a future, or [`wait`](Receipt::wait) where there is no async code.
///
/// Whoever waits does not wait for a batch to fill: when a receipt is first polled or waited for, everything that waits
/// at that moment leaves at once, its own event included. So `send_with_receipt(…)?.await` takes one request and not the
/// ten seconds of `flush_interval`; and to wait for many events, send all of them first. A receipt that nobody waits
/// for changes nothing.
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
/// It needs no runtime of its own, and dropping it costs the event nothing. A client that ends without having worked off
/// the event tells its end as [`Closed`](DropReason::Closed). So does a receipt that a forked child waits for: the event
/// is its parent's.
#[must_use = "a receipt does nothing unless it is awaited"]
pub struct Receipt {
    slot: Arc<Mutex<Slot>>,
    /// Where the event was accepted, and whoever tells its end is.
    process: u32,
    /// Until the receipt is waited for.
    dispatch: Option<Dispatch>,
    /// Since then, if the client has to be driven.
    driver: Option<Box<Driver>>,
}

/// Who has batches leave before they are full.
pub(crate) trait Dispatcher: Send + Sync {
    /// One who drives the client, if it has to be.
    fn driver(&self) -> Option<Driver>;

    /// Has everything that waits leave at once, unless that was done since it was done `seen` times.
    fn dispatch(&self, seen: u64);
}

/// How a receipt has its event leave.
pub(crate) struct Dispatch {
    pub(crate) dispatcher: Weak<dyn Dispatcher>,
    /// How often that was done before.
    pub(crate) seen: u64,
}

/// Tells the end to the [`Receipt`].
pub(crate) struct ReceiptSender {
    slot: Arc<Mutex<Slot>>,
}

/// Where the end is put down.
#[derive(Default)]
struct Slot {
    end: Option<Settlement>,
    waker: Option<Waker>,
}

impl Receipt {
    /// Of an event that the process `process` accepts.
    pub(crate) fn new(process: u32) -> (ReceiptSender, Self) {
        let slot = Arc::<Mutex<Slot>>::default();
        (ReceiptSender { slot: slot.clone() }, Self { slot, process, dispatch: None, driver: None })
    }

    /// Has the event leave when the receipt is first waited for.
    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = Some(dispatch);
    }

    /// In a process that was forked off since nobody tells the end, and a lock may be held for ever: the end, if it is
    /// known.
    #[cold]
    fn of_the_parent(&self) -> Settlement {
        let known = self.slot.try_lock().ok().and_then(|slot| slot.end.clone());
        known.unwrap_or_else(closed)
    }
}

impl Future for Receipt {
    type Output = Settlement;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settlement> {
        if process::id() != self.process {
            return Poll::Ready(self.of_the_parent());
        }
        // To copy and to drop a waker is user code, too.
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
    /// Puts the end down. Whoever waits is [woken](Self::wake) later.
    pub(super) fn put(&mut self, end: Settlement) {
        lock(&self.slot).end.get_or_insert(end);
    }

    /// Wakes whoever waits for the end; what panics in that stays here. No lock may be held.
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

/// The end of an event of which nothing is known.
fn closed() -> Settlement {
    let outcome = Outcome::Dropped(DropReason::Closed);
    Settlement { message_id: String::new(), outcome, destinations: Vec::new() }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
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
