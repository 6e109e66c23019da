//! The clock of a client: the machine's, that of a driven client, or one that a test moves.
//!
//! Invariant: all scheduling (flush interval, backoff, deadlines of plugins and attempts) uses the monotonic time. The
//! wall clock serves only timestamps and HTTP dates, so a jump of it moves no timer.

mod machine;
#[cfg(feature = "testing")]
mod manual;
mod timers;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use machine::since_start;
pub(crate) use machine::{Instant, wall};
#[cfg(feature = "testing")]
pub use manual::ManualClock;
pub(crate) use timers::Timers;

/// A future that ends at a time.
pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock of one client. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// The machine's clock, where whoever drives the client waits.
    Driven(Timers),
    /// A clock that a test moves.
    #[cfg(feature = "testing")]
    Manual(ManualClock),
}

impl Clock {
    /// Returns the time since a fixed point. Never goes back.
    pub(crate) fn now(&self) -> Duration {
        match self {
            Clock::System => since_start(),
            Clock::Driven(timers) => timers.now(),
            #[cfg(feature = "testing")]
            Clock::Manual(clock) => clock.monotonic(),
        }
    }

    /// Returns whether a test moves it.
    pub(crate) fn is_manual(&self) -> bool {
        !matches!(self, Clock::System | Clock::Driven(_))
    }

    /// Returns the time of day.
    pub(crate) fn wall(&self) -> SystemTime {
        match self {
            Clock::System | Clock::Driven(_) => wall(),
            #[cfg(feature = "testing")]
            Clock::Manual(clock) => clock.now(),
        }
    }

    /// Ends when [`now`](Self::now) is `deadline` or later.
    pub(crate) fn sleep_until(&self, deadline: Duration) -> Sleep {
        match self {
            Clock::System => Box::pin(tokio::time::sleep(deadline.saturating_sub(self.now()))),
            Clock::Driven(timers) => Box::pin(timers.sleep_until(deadline)),
            #[cfg(feature = "testing")]
            Clock::Manual(clock) => Box::pin(clock.sleep_until(deadline)),
        }
    }

    /// Like [`sleep_until`](Self::sleep_until), for a limit on work that goes on meanwhile.
    fn limit(&self, deadline: Duration) -> Sleep {
        match self {
            Clock::System | Clock::Driven(_) => self.sleep_until(deadline),
            #[cfg(feature = "testing")]
            Clock::Manual(clock) => Box::pin(clock.limit(deadline)),
        }
    }

    /// Returns the output of `future` if it ends within `limit`. A future that is ready at once costs no timer.
    pub(crate) async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        if let std::task::Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return Some(output);
        }
        let deadline = self.limit(self.now().saturating_add(limit));
        tokio::select! {
            biased;
            output = future => Some(output),
            () = deadline => None,
        }
    }
}
