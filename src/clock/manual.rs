//! A clock that stands still until a test moves it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that a test moves by hand: intervals, backoff and timeouts of hours pass at once.
///
/// ```
/// use std::time::Duration;
/// use tracklane::testing::ManualClock;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now().duration_since(before)?, Duration::from_secs(3600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones are the same clock. Deadlines of `flush` and `close` are not on it: they bound what a caller really waits.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    monotonic: Duration,
    /// How far the wall clock is ahead of the monotonic one, counted from [`START`].
    wall_ahead: Duration,
    wall_behind: Duration,
    sleepers: Vec<Sleeper>,
    next_id: u64,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    deadline: Duration,
    waker: Waker,
}

/// 2009-11-10T23:00:00Z.
const START: Duration = Duration::from_secs(1_257_894_000);

impl ManualClock {
    /// Creates a clock that stands at 2009-11-10T23:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the time of day.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let state = self.state();
        UNIX_EPOCH + (START + state.monotonic + state.wall_ahead).saturating_sub(state.wall_behind)
    }

    /// Moves time forward and wakes whoever slept until then.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.monotonic += by;
        let now = state.monotonic;
        let (due, later) = std::mem::take(&mut state.sleepers).into_iter().partition(|sleeper| sleeper.deadline <= now);
        state.sleepers = later;
        drop(state);
        let due: Vec<Sleeper> = due;
        due.into_iter().for_each(|sleeper| sleeper.waker.wake());
    }

    /// Sets the wall clock forward, as an NTP step would. No timer moves.
    pub fn jump_forward(&self, by: Duration) {
        self.state().wall_ahead += by;
    }

    /// Sets the wall clock back, as an NTP step would. No timer moves.
    pub fn jump_back(&self, by: Duration) {
        self.state().wall_behind += by;
    }

    /// Returns how far in the future the next sleeper wakes, if there is one.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        let state = self.state();
        state.sleepers.iter().map(|sleeper| sleeper.deadline).min().map(|next| next.saturating_sub(state.monotonic))
    }

    /// Blocks until some task sleeps until a time `range` from now, at most ten seconds of real time. Returns whether
    /// one does.
    ///
    /// By this a test knows that the code waits, before it moves the clock.
    #[must_use]
    pub fn wait_for_sleeper(&self, range: impl std::ops::RangeBounds<Duration>) -> bool {
        let give_up = Instant::now() + Duration::from_secs(10);
        let mut state = self.state();
        loop {
            let now = state.monotonic;
            if state.sleepers.iter().any(|sleeper| range.contains(&sleeper.deadline.saturating_sub(now))) {
                return true;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    pub(crate) fn sleep_until(&self, deadline: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state();
        state.next_id += 1;
        SleepUntil { clock: self.clone(), deadline, id: state.next_id }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct SleepUntil {
    clock: ManualClock,
    deadline: Duration,
    id: u64,
}

impl Future for SleepUntil {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloning and dropping a waker is user code, so neither happens under the lock.
        let sleeper = Sleeper { id: self.id, deadline: self.deadline, waker: cx.waker().clone() };
        let mut state = self.clock.state();
        let before = state.remove(self.id);
        let over = state.monotonic >= self.deadline;
        if !over {
            state.sleepers.push(sleeper);
        }
        drop(state);
        drop(before);
        if over {
            return Poll::Ready(());
        }
        self.clock.shared.changed.notify_all();
        Poll::Pending
    }
}

impl Drop for SleepUntil {
    fn drop(&mut self) {
        let before = self.clock.state().remove(self.id);
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
