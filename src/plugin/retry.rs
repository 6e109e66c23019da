//! The times at which a failed batch is tried again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::supervise::{self, CatchDrop};

/// The retries of a destination's batches: how often and how long. The defaults are Segment's.
#[derive(Clone)]
#[must_use]
pub struct RetryPolicy {
    max_retries: u32,
    base: Duration,
    cap: Duration,
    max_total_backoff: Duration,
    max_rate_limit: Duration,
    schedule: Option<ScheduleFn>,
}

/// User code; its drop may panic.
type ScheduleFn = Arc<CatchDrop<Box<dyn Fn(u32) -> Duration + Send + Sync>>>;

impl RetryPolicy {
    /// The default of [`max_retries`](Self::max_retries).
    pub const MAX_RETRIES: u32 = 10;
    /// The longest wait before the first retry, by default.
    pub const BASE: Duration = Duration::from_millis(500);
    /// The longest wait before any retry, by default.
    pub const CAP: Duration = Duration::from_secs(60);
    /// The default of [`max_total_backoff`](Self::max_total_backoff).
    pub const MAX_TOTAL_BACKOFF: Duration = Duration::from_secs(12 * 60 * 60);
    /// The default of [`max_rate_limit`](Self::max_rate_limit).
    pub const MAX_RATE_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

    /// Makes the default policy: ten retries, with a random wait of at most 500 ms before the first, doubled each time
    /// up to 60 s (full jitter). Retries end after twelve hours, and pauses that the destination asked for after twelve
    /// more.
    pub const fn new() -> Self {
        Self {
            max_retries: Self::MAX_RETRIES,
            base: Self::BASE,
            cap: Self::CAP,
            max_total_backoff: Self::MAX_TOTAL_BACKOFF,
            max_rate_limit: Self::MAX_RATE_LIMIT,
            schedule: None,
        }
    }

    /// Limits the attempts after the first. With 0, every batch is tried once.
    pub const fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the longest wait before the first retry (`base`), doubled for each further one up to `cap`.
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        (self.base, self.cap) = (base, cap);
        self
    }

    /// Waits as long as `schedule` returns before each retry, which is counted from 1. It replaces the backoff and has
    /// no jitter. If it panics, the longest wait of the backoff is used.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracklane::plugin::RetryPolicy;
    ///
    /// let waits = vec![1, 5, 30];
    /// let policy = RetryPolicy::new()
    ///     .max_retries(3)
    ///     .schedule(move |retry| Duration::from_secs(waits.get(retry as usize - 1).copied().unwrap_or(60)));
    /// ```
    pub fn schedule(mut self, schedule: impl Fn(u32) -> Duration + Send + Sync + 'static) -> Self {
        self.schedule = Some(Arc::new(CatchDrop::new(Box::new(schedule))));
        self
    }

    /// Limits the time between the first failure of a batch and its last retry.
    pub const fn max_total_backoff(mut self, limit: Duration) -> Self {
        self.max_total_backoff = limit;
        self
    }

    /// Limits the time between the first pause of a batch that the destination asked for and its last retry.
    pub const fn max_rate_limit(mut self, limit: Duration) -> Self {
        self.max_rate_limit = limit;
        self
    }

    /// Returns the two limits in time, each with the name of its setting.
    pub(crate) fn limits(&self) -> [(&'static str, Duration); 2] {
        [("max_total_backoff", self.max_total_backoff), ("max_rate_limit", self.max_rate_limit)]
    }

    /// Returns how long to wait before retry number `retry` (from 1). Returns `None` if there is none, or if it would
    /// come too long after the first failure, which was `since_failure` ago. `random` is between 0 and 1.
    pub(crate) fn next(&self, retry: u32, since_failure: Duration, random: f64) -> Option<Duration> {
        if !self.has_retries_left(retry) {
            return None;
        }
        let wait = self.wait(retry, random);
        (since_failure.saturating_add(wait) <= self.max_total_backoff).then_some(wait)
    }

    /// Returns how long to wait before retry number `retry` (from 1), without checking limits.
    pub(crate) fn wait(&self, retry: u32, random: f64) -> Duration {
        match &self.schedule {
            Some(schedule) => supervise::catch(|| schedule(retry)).unwrap_or_else(|_| self.longest_wait(retry)),
            None => self.longest_wait(retry).mul_f64(random.clamp(0.0, 1.0)),
        }
    }

    fn longest_wait(&self, retry: u32) -> Duration {
        let doublings = 1_u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doublings).min(self.cap)
    }

    /// Returns whether the count allows retry number `retry`.
    pub(crate) fn has_retries_left(&self, retry: u32) -> bool {
        retry <= self.max_retries
    }

    /// Returns whether a pause of `pause` still ends in time if the first one began `since_pause` ago.
    pub(crate) fn allows_pause(&self, since_pause: Duration, pause: Duration) -> bool {
        since_pause.saturating_add(pause) <= self.max_rate_limit
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_retries", &self.max_retries)
            .field("base", &self.base)
            .field("cap", &self.cap)
            .field("max_total_backoff", &self.max_total_backoff)
            .field("max_rate_limit", &self.max_rate_limit)
            .finish_non_exhaustive()
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_wait_doubles_from_half_a_second_to_a_minute() {
        let policy = RetryPolicy::new();
        let longest: Vec<u128> =
            (1..=10).map(|retry| policy.next(retry, Duration::ZERO, 1.0).unwrap().as_millis()).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(policy.next(11, Duration::ZERO, 1.0), None, "ten retries and no more");
    }

    #[test]
    fn no_retry_comes_after_the_total() {
        let policy = RetryPolicy::new().max_total_backoff(Duration::from_secs(3));
        assert_eq!(policy.next(1, Duration::from_millis(2_500), 1.0), Some(Duration::from_millis(500)));
        assert_eq!(policy.next(1, Duration::from_millis(2_501), 1.0), None);
    }

    proptest! {
        #[test]
        fn jitter_spreads_over_the_whole_wait_and_never_beyond(retry in 1_u32..u32::MAX, random in 0.0..=1.0_f64) {
            let policy = RetryPolicy::new().max_retries(u32::MAX);
            let longest = policy.next(retry, Duration::ZERO, 1.0).unwrap();
            let wait = policy.next(retry, Duration::ZERO, random).unwrap();
            prop_assert!(wait <= longest && longest <= Duration::from_secs(60));
            prop_assert!((wait.as_secs_f64() - longest.as_secs_f64() * random).abs() < 1e-6);
        }
    }
}
