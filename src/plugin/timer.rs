//! The client's clock, for destinations.

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

    /// Returns the time of day. It can jump: measure durations with a monotonic clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.wall()
    }

    /// Waits for `duration`. A jump of the time of day neither shortens nor prolongs it.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep_until(self.0.now().saturating_add(duration)).await;
    }
}
