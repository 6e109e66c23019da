//! Takes code out of use that keeps crashing.

use std::sync::atomic::{AtomicU32, Ordering};

/// Crashes in a row after which the breaker opens.
const OPEN_AFTER: u32 = 5;

/// Counts crashes in a row. Once it is open it stays open: code that is not called cannot succeed.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker(AtomicU32);

impl CircuitBreaker {
    /// Returns whether the code is not to be called any more.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= OPEN_AFTER
    }

    /// Forgets earlier crashes.
    pub(crate) fn record_success(&self) {
        // Read first: threads that only read do not wait for each other.
        if self.0.load(Ordering::Relaxed) > 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a panic or a timeout. Returns whether this one opens the breaker.
    pub(crate) fn record_crash(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) + 1 == OPEN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_crashes_in_a_row_open_it_once() {
        let breaker = CircuitBreaker::default();
        let crash = || (breaker.record_crash(), breaker.is_open());
        assert_eq!([crash(), crash(), crash(), crash()], [(false, false); 4]);
        breaker.record_success();
        assert_eq!([crash(), crash(), crash(), crash()], [(false, false); 4], "a success begins the count anew");
        assert_eq!((crash(), crash()), ((true, true), (false, true)));
    }
}
