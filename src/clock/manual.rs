//! A clock that stands still until a test moves it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that a test moves. Intervals, backoff and timeouts of hours pass at once.
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
/// Clones are the same clock. Deadlines of `flush` and `close` do not use it, because they bound the real time of a
/// caller.
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
    /// The number of changes of the sleepers.
    changes: u64,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    deadline: Duration,
    /// Set if it bounds work that goes on meanwhile. Other sleepers have nothing else to do.
    is_limit: bool,
    waker: Waker,
}

/// The real time without a change after which [`ManualClock::run_until`] moves the clock. The client polls for calls
/// every five milliseconds.
const QUIET: Duration = Duration::from_millis(15);
/// The same while something works. After that it counts as hung.
const HUNG: Duration = Duration::from_millis(100);
/// The longest time that a test waits.
const GIVE_UP: Duration = Duration::from_secs(10);

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
        state.changes += 1;
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

    /// Blocks until a task sleeps until a time `range` from now, at most ten seconds of real time. Returns whether one
    /// does.
    ///
    /// A test uses this to know that the code waits, before it moves the clock.
    #[must_use]
    pub fn wait_for_sleeper(&self, range: impl std::ops::RangeBounds<Duration>) -> bool {
        let give_up = Instant::now() + GIVE_UP;
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

    /// Lets time pass by itself until `condition` holds, at most ten seconds of real time. Returns whether it holds.
    ///
    /// The clock stands still while something works, such as a request that a local server answers. Otherwise it moves
    /// to the next time that somebody waits for: the end of an interval, of a pause or of a backoff, however long that
    /// is. Work that hangs has a tenth of a second; then its time limit passes. So an outage of an hour takes a moment:
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracklane::segment::Segment;
    /// use tracklane::testing::{ManualClock, Reply, TrackingApi};
    /// use tracklane::{Analytics, Track};
    ///
    /// let (api, clock) = (TrackingApi::start()?, ManualClock::new());
    /// api.script([Reply::status(503), Reply::reset(), Reply::hang(), Reply::ok()]);
    /// let segment = Segment::new("WRITE_KEY").host(api.url());
    /// let analytics = Analytics::builder().segment(segment).clock(clock.clone()).build()?;
    ///
    /// analytics.track(Track::new("Signed Up").user_id("u1"))?;
    /// assert!(clock.run_until(|| analytics.stats().delivered == 1));
    /// assert_eq!(api.request_count(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn run_until(&self, mut condition: impl FnMut() -> bool) -> bool {
        let give_up = Instant::now() + GIVE_UP;
        let (mut changes, mut quiet_since) = (0, Instant::now());
        while !condition() {
            let now = Instant::now();
            if now >= give_up {
                return false;
            }
            let state = self.state();
            if changes != state.changes {
                (changes, quiet_since) = (state.changes, now);
            }
            let at_work = state.sleepers.iter().any(|sleeper| sleeper.is_limit);
            let next = state.sleepers.iter().map(|sleeper| sleeper.deadline).min();
            let next = next.map(|next| next.saturating_sub(state.monotonic));
            drop(state);
            match next {
                Some(next) if now.duration_since(quiet_since) >= if at_work { HUNG } else { QUIET } => {
                    self.advance(next)
                }
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        true
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    pub(crate) fn sleep_until(&self, deadline: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.sleeper(deadline, false)
    }

    /// Like [`sleep_until`](Self::sleep_until), for a limit on work that goes on meanwhile.
    pub(crate) fn limit(&self, deadline: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.sleeper(deadline, true)
    }

    fn sleeper(&self, deadline: Duration, is_limit: bool) -> SleepUntil {
        let mut state = self.state();
        state.next_id += 1;
        SleepUntil { clock: self.clone(), deadline, is_limit, id: state.next_id }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct SleepUntil {
    clock: ManualClock,
    deadline: Duration,
    is_limit: bool,
    id: u64,
}

impl Future for SleepUntil {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloning and dropping a waker is user code, so neither happens under the lock.
        let Self { id, deadline, is_limit, .. } = *self;
        let sleeper = Sleeper { id, deadline, is_limit, waker: cx.waker().clone() };
        let mut state = self.clock.state();
        let before = state.remove(self.id);
        let over = state.monotonic >= self.deadline;
        if !over {
            state.changes += u64::from(before.is_none());
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
        let mut state = self.clock.state();
        let before = state.remove(self.id);
        state.changes += 1;
        drop(state);
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
