//! Decides which failures are reported, and which are held back, by one [`Throttle`] for all parts of a client.
//!
//! Invariant: no user code runs under the lock. Reports that are taken out are emitted or dropped when the lock is free
//! again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::failure::Failure;
use crate::supervise::{Decision, Repeats, Throttle, Topic, discard, hops};

/// Makes the report of failures that are held back. The number is the hops of events that a listener sends because of
/// it.
type HeldReport = (u8, Box<dyn FnOnce(Repeats) -> Failure + Send>);

pub(super) struct Reports {
    throttle: Mutex<Throttle<HeldReport>>,
    /// One bit for each topic that may have an open episode, so that a success need not take the lock.
    open: AtomicU32,
}

impl Reports {
    pub(super) const fn new() -> Self {
        Self { throttle: Mutex::new(Throttle::new()), open: AtomicU32::new(0) }
    }

    /// Returns whether this failure begins an episode. Only then it is reported.
    pub(super) fn begins(&self, topic: Topic, origin: &str, now: impl Fn() -> Duration) -> bool {
        let mut throttle = self.throttle();
        let decision = throttle.with(origin, topic, |series| series.record(1, false, &now));
        if decision == Decision::Skip {
            return false;
        }
        self.open.fetch_or(topic.bit(), Ordering::Relaxed);
        throttle.forget(now());
        true
    }

    /// Records a failure. Returns its report if that is due now, or when to look for [due reports](Self::take_due).
    pub(super) fn record(
        &self,
        topic: Topic,
        origin: &str,
        (events, urgent): (usize, bool),
        now: Duration,
        failure: impl FnOnce(Repeats) -> Failure + Send + 'static,
    ) -> Result<Failure, Option<Duration>> {
        let mut throttle = self.throttle();
        self.open.fetch_or(topic.bit(), Ordering::Relaxed);
        let recorded = throttle.with(origin, topic, |series| match series.record(events, urgent, || now) {
            Decision::Report(repeats) => Ok((failure, repeats, series.take_stale())),
            Decision::Hold | Decision::Skip => Err(series.hold((hops::current(), Box::new(failure)))),
        });
        throttle.forget(now);
        drop(throttle);
        match recorded {
            Ok((failure, repeats, stale)) => {
                discard(stale);
                Ok(failure(repeats))
            }
            Err(Ok(due)) => Err(due),
            Err(Err(unused)) => {
                discard(unused);
                Err(None)
            }
        }
    }

    /// Returns whether an episode of this topic may be open.
    #[inline]
    pub(super) fn may_be_open(&self, topic: Topic) -> bool {
        self.open.load(Ordering::Relaxed) & topic.bit() != 0
    }

    /// Ends an episode.
    pub(super) fn end(&self, topic: Topic, origin: &str) {
        let mut throttle = self.throttle();
        if throttle.end(origin, topic) {
            self.open.fetch_and(!topic.bit(), Ordering::Relaxed);
        }
    }

    /// Makes the reports that are due.
    pub(super) fn take_due(&self, now: Duration) -> Vec<(u8, Failure)> {
        let due = self.throttle().take_due(now);
        make(due)
    }

    /// Makes all reports that are held back, of one origin that ends or of all.
    pub(super) fn take_all(&self, origin: Option<&str>) -> Vec<(u8, Failure)> {
        let (due, others) = self.throttle().take_all(origin);
        discard(others);
        make(due)
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle<HeldReport>> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(held: Vec<(HeldReport, Repeats)>) -> Vec<(u8, Failure)> {
    held.into_iter().map(|((hops, failure), repeats)| (hops, failure(repeats))).collect()
}
