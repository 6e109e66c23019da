//! The client's clock, for destinations.

use std::time::{Duration, SystemTime};

use crate::clock::Clock;

/// The client's clock, for destinations that need the time or have to wait. In a test it is the test's clock. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Timer(Clock);

impl Timer {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(clock)
    }

    /// Returns the time of day. It can jump. Measure durations with a monotonic clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.wall()
    }

    /// Waits for `duration`. A jump of the time of day neither shortens nor prolongs it.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep_until(self.0.now().saturating_add(duration)).await;
    }
}
