//! Time, as a destination gets it.

use std::time::{Duration, SystemTime};

use crate::clock::Clock;

/// The client's clock, for a destination that has to know the time or to wait: in a test it is the one that the test
/// moves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Timer(Clock);

impl Timer {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(clock)
    }

    /// The time of day. It can jump; to measure how long something takes, use a monotonic clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.wall()
    }

    /// Waits. A jump of the time of day neither shortens nor prolongs it.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep_until(self.0.now().saturating_add(duration)).await;
    }
}
