//! Limits the events of a source by a token bucket. It has no clock of its own.

use std::time::{Duration, Instant};

/// The events that a source may still send.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(per_second: u32, burst: Option<u32>, now: Instant) -> Self {
        let burst = burst.map_or(f64::from(per_second) * 2.0, f64::from);
        Self { per_second: f64::from(per_second), burst, left: burst, at: now }
    }

    /// Takes so many events out, or returns how long to wait for that many. A request with more events than the bucket
    /// can ever hold is taken when it is full, and the next one waits longer.
    pub(crate) fn take(&mut self, events: usize, now: Instant) -> Result<(), Duration> {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.left, self.at) = ((self.left + since * self.per_second).min(self.burst), now.max(self.at));
        let wanted = events as f64;
        let needed = wanted.min(self.burst);
        if self.left < needed {
            return Err(Duration::from_secs_f64((needed - self.left) / self.per_second));
        }
        self.left -= wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_sends_at_its_rate_after_a_burst() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut bucket = Bucket::new(10, Some(20), start);
        assert_eq!(bucket.take(20, at(0)), Ok(()), "the burst");
        assert_eq!(bucket.take(1, at(0)), Err(Duration::from_millis(100)), "the next one in a tenth of a second");
        assert_eq!(bucket.take(1, at(100)), Ok(()));
        assert_eq!(bucket.take(20, at(10_000)), Ok(()), "no more than a burst is saved");
        assert_eq!(bucket.take(100, at(12_000)), Ok(()), "a large request when the bucket is full");
        assert_eq!(bucket.take(1, at(12_000)), Err(Duration::from_millis(8_100)), "and then the source waits for it");
    }
}
