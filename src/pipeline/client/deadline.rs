//! Deadlines in real time, whatever the client's clock.

use std::time::Duration;

use crate::clock::Instant;

/// Returns the time when `timeout` is over. A deadline that the clock cannot reach is as good as none.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 60 * 60))
}

/// Returns the time until `deadline`, zero if it has passed.
pub(crate) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
