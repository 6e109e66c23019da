//! Keeps the order of events that are in the stack at the same time.
//!
//! Every place in the stack that takes time is a gate: an asynchronous plugin, or the user's layers. An event arrives
//! at a gate, enters it, and leaves it. Everything between two gates runs without a pause.
//!
//! Invariant: at every gate events enter and leave in the order of their [`Line`]. An event may end before its turn,
//! because it is dropped or cut off. Then the event behind it follows the event before it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::task::AtomicWaker;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::supervise;

/// The events of one driver, in their order.
#[derive(Default)]
pub(crate) struct Line {
    last: Option<Arc<Place>>,
}

/// The turn of one event. The default is that of an event that is alone: it waits for none.
#[derive(Default)]
pub(crate) struct Turn {
    place: Option<Arc<Place>>,
    before: Option<Arc<Place>>,
}

/// The position of one event.
#[derive(Default)]
struct Place {
    /// The last step that the event made.
    step: AtomicUsize,
    /// Wakes the event behind it.
    behind: AtomicWaker,
    /// Set when the event has ended: the event before it at that moment.
    ended: Mutex<Option<Option<Arc<Place>>>>,
}

/// A gate by its number, from 1, in the order in which events come to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) struct Gate(pub(super) usize);

impl Gate {
    fn arrival(self) -> usize {
        2 * self.0
    }

    fn entry(self) -> usize {
        self.arrival() + 1
    }

    /// Returns the first step behind the gate.
    fn behind(self) -> usize {
        self.arrival() + 2
    }
}

impl Line {
    /// Returns the turn of the next event.
    pub(crate) fn join(&mut self) -> Turn {
        let place = Arc::<Place>::default();
        Turn { before: self.last.replace(place.clone()), place: Some(place) }
    }
}

impl Turn {
    /// Enters the gate once all events before have, and one of its `permits` is free.
    pub(super) async fn enter<'p>(&mut self, gate: Gate, permits: &'p Semaphore) -> Option<SemaphorePermit<'p>> {
        self.place.as_ref()?.advance(gate.arrival());
        self.wait_for(gate.entry()).await;
        let permit = permits.acquire().await.ok();
        self.advance(gate.entry());
        permit
    }

    /// Enters the gate once all events before have.
    pub(super) async fn pass_by(&mut self, gate: Gate) {
        self.advance(gate.arrival());
        self.wait_for(gate.entry()).await;
        self.advance(gate.entry());
    }

    /// Enters the gate once all events before have left it.
    pub(super) async fn enter_alone(&mut self, gate: Gate) {
        self.advance(gate.arrival());
        self.wait_for(gate.behind()).await;
        self.advance(gate.entry());
    }

    /// Lets the next event in that wants to be alone. It still leaves behind this one.
    pub(super) fn let_in(&self, gate: Gate) {
        self.advance(gate.behind());
    }

    /// Waits until all events before have left the gate. This event has left it when it arrives at the next gate, or
    /// ends.
    pub(super) async fn leave(&mut self, gate: Gate) {
        self.wait_for(gate.behind()).await;
    }

    /// Returns whether all events before have left the gate.
    pub(super) fn is_next(&mut self, gate: Gate) -> bool {
        self.poll_step(gate.behind(), &mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn advance(&self, step: usize) {
        if let Some(place) = &self.place {
            place.advance(step);
        }
    }

    async fn wait_for(&mut self, step: usize) {
        poll_fn(|cx| self.poll_step(step, cx)).await;
    }

    /// Resolves when the event before has made the step.
    fn poll_step(&mut self, step: usize, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(before) = &self.before {
            if before.step() >= step {
                return Poll::Ready(());
            }
            before.behind.register(cx.waker());
            // Checked again, because the event may have moved on before the waker was registered.
            if before.step() >= step {
                return Poll::Ready(());
            }
            let Some(next) = before.ended().clone() else { return Poll::Pending };
            self.before = next;
        }
        Poll::Ready(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let mut before = self.before.take();
        while let Some(next) = before.as_ref().and_then(|before| before.ended().clone()) {
            before = next;
        }
        *place.ended() = Some(before);
        place.wake();
    }
}

impl Place {
    fn step(&self) -> usize {
        self.step.load(Ordering::Acquire)
    }

    fn advance(&self, step: usize) {
        self.step.store(step, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        // A layer may run the event in a task of its own. Then the waker is that of another executor.
        let _ = supervise::catch(|| self.behind.wake());
    }

    fn ended(&self) -> MutexGuard<'_, Option<Option<Arc<Place>>>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::*;

    const GATE: Gate = Gate(1);
    const NEXT: Gate = Gate(2);

    fn is_ready(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn events_enter_in_order_as_many_as_there_are_permits() {
        let (mut line, permits) = (Line::default(), Semaphore::new(2));
        let [mut first, mut second, mut third] = [(); 3].map(|()| line.join());
        let mut early = pin!(second.enter(GATE, &permits));
        assert!(!is_ready(early.as_mut()), "the first has not entered");
        let entered = pollster::block_on(first.enter(GATE, &permits));
        let too = pollster::block_on(early);
        let mut late = pin!(third.enter(GATE, &permits));
        assert!(!is_ready(late.as_mut()), "two are in it");
        drop((entered, too));
        assert!(is_ready(late.as_mut()));
    }

    #[test]
    fn who_is_done_first_leaves_behind_who_came_first() {
        let mut line = Line::default();
        let [mut first, mut second] = [(); 2].map(|()| line.join());
        pollster::block_on(first.pass_by(GATE));
        pollster::block_on(second.pass_by(GATE));
        assert!(!second.is_next(GATE) && !is_ready(pin!(second.leave(GATE))));
        assert!(first.is_next(GATE));
        assert!(!second.is_next(GATE), "the first runs up to the next gate before another leaves");
        pollster::block_on(first.pass_by(NEXT));
        assert!(second.is_next(GATE));
        assert!(!second.is_next(NEXT));
    }

    #[test]
    fn who_ends_out_of_turn_lets_nobody_past_who_was_before() {
        let mut line = Line::default();
        let [mut first, second, third, mut fourth] = [(); 4].map(|()| line.join());
        pollster::block_on(first.pass_by(GATE));
        drop(third);
        assert!(!fourth.is_next(GATE));
        drop(second);
        assert!(!fourth.is_next(GATE), "the first is there still");
        drop(first);
        assert!(fourth.is_next(GATE) && fourth.is_next(NEXT));
    }

    #[test]
    fn an_event_that_is_alone_waits_for_none() {
        let permits = Semaphore::new(0);
        let mut turn = Turn::default();
        assert!(pollster::block_on(turn.enter(GATE, &permits)).is_none());
        assert!(turn.is_next(NEXT));
    }
}
