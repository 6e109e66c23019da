//! The timers of a driven client: who sleeps until when. Whoever drives it waits for the next one.
//!
//! Invariant: time never goes back, and moves on when a wait of the host's has ended, also where the host's clock stands
//! still between two of its events, as in Cloudflare Workers. No waker is cloned or dropped under the lock.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::machine::since_start;

/// The sleepers of one client. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Until when waits have ended.
    reached: Duration,
    next_id: u64,
    sleepers: Vec<Sleeper>,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    deadline: Duration,
    waker: Waker,
}

impl Timers {
    /// Returns the time since a fixed point.
    pub(crate) fn now(&self) -> Duration {
        since_start().max(self.state().reached)
    }

    /// Notes that a wait until `time` has ended.
    pub(crate) fn reach(&self, time: Duration) {
        let mut state = self.state();
        state.reached = state.reached.max(time);
    }

    /// Returns when the next sleeper is to be woken.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.state().sleepers.iter().map(|sleeper| sleeper.deadline).min()
    }

    /// Takes out whoever has slept long enough, to be woken.
    pub(crate) fn take_due(&self) -> Vec<Waker> {
        let now = self.now();
        let mut state = self.state();
        state.sleepers.extract_if(.., |sleeper| sleeper.deadline <= now).map(|sleeper| sleeper.waker).collect()
    }

    /// Ends when [`now`](Self::now) is `deadline` or later.
    pub(crate) fn sleep_until(&self, deadline: Duration) -> SleepUntil {
        let mut state = self.state();
        state.next_id += 1;
        SleepUntil { timers: self.clone(), deadline, id: state.next_id }
    }

    /// Returns the output of `future` if it ends before `deadline`.
    pub(crate) async fn within<F: Future>(&self, deadline: Duration, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.sleep_until(deadline) => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of [`Timers::sleep_until`].
pub(crate) struct SleepUntil {
    timers: Timers,
    deadline: Duration,
    id: u64,
}

impl Future for SleepUntil {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let over = self.timers.now() >= self.deadline;
        let sleeper = (!over).then(|| Sleeper { id: self.id, deadline: self.deadline, waker: cx.waker().clone() });
        let mut state = self.timers.state();
        let before = state.remove(self.id);
        state.sleepers.extend(sleeper);
        drop(state);
        drop(before);
        if over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for SleepUntil {
    fn drop(&mut self) {
        let before = self.timers.state().remove(self.id);
        drop(before);
    }
}

impl State {
    /// Takes a sleeper out.
    fn remove(&mut self, id: u64) -> Option<Sleeper> {
        let at = self.sleepers.iter().position(|sleeper| sleeper.id == id)?;
        Some(self.sleepers.swap_remove(at))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_next_sleeper_is_known_and_woken_once_when_its_time_is_reached() {
        let (timers, count) = (Timers::default(), Arc::new(Count::default()));
        let (waker, hour) = (Waker::from(count.clone()), Duration::from_secs(3600));
        let mut cx = Context::from_waker(&waker);
        let (early, late) = (timers.now() + hour, timers.now() + 2 * hour);
        let mut first = pin!(timers.sleep_until(early));
        let mut second = Box::pin(timers.sleep_until(late));
        assert!(first.as_mut().poll(&mut cx).is_pending() && second.as_mut().poll(&mut cx).is_pending());
        assert!(first.as_mut().poll(&mut cx).is_pending(), "polled again, it is one sleeper still");
        assert_eq!(timers.next(), Some(early));
        assert_eq!(timers.take_due().len(), 0, "an hour is left");

        // The machine's clock has not moved, but a wait of an hour has ended.
        timers.reach(early);
        timers.take_due().into_iter().for_each(Waker::wake);
        assert_eq!((count.0.load(Ordering::SeqCst), timers.take_due().len()), (1, 0));
        assert!(first.as_mut().poll(&mut cx).is_ready() && second.as_mut().poll(&mut cx).is_pending());
        timers.reach(Duration::ZERO);
        assert!(timers.now() >= early, "it never goes back");
        assert_eq!(timers.next(), Some(late));
        drop(second);
        assert_eq!(timers.next(), None, "who is gone is not waited for");
    }
}
