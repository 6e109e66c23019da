//! A gate in front of a destination. After the destination has taken nothing for a while, its events are parked.
//!
//! Invariant: a gate opens only when nothing is parked and nothing is on its way there. So no event of a destination
//! overtakes one that is parked.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, BatchService, Verdict};

/// Decides whether a destination gets its events, or they are parked.
#[derive(Debug)]
pub(super) struct Gate {
    /// The time for which it is tried.
    park_after: Duration,
    is_closed: AtomicBool,
    /// The time when it began to fail, or when the attempt under way began.
    failing_since: Mutex<Option<Instant>>,
    on_the_way: Arc<RwLock<()>>,
}

/// A message's way through a gate, and from there to the park. It ends with the drop.
pub(super) type Pass = OwnedRwLockReadGuard<()>;

/// The reason why a destination did not get an event.
#[derive(Debug)]
pub(super) struct Parked;

impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the destination takes nothing for now, and the event is parked")
    }
}

impl std::error::Error for Parked {}

impl Gate {
    pub(super) fn new(park_after: Duration) -> Self {
        let on_the_way = Arc::default();
        Self { park_after, is_closed: AtomicBool::new(false), failing_since: Mutex::new(None), on_the_way }
    }

    /// Returns `None` while a caller waits until nothing is in progress.
    pub(super) fn enter(&self) -> Option<Pass> {
        Arc::clone(&self.on_the_way).try_read_owned().ok()
    }

    /// Waits until nothing is on the way, and lets nothing in as long as this is held.
    pub(super) async fn emptied(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.on_the_way).write_owned().await
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    pub(super) fn open(&self) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.is_closed.store(false, Ordering::Release);
    }

    /// Returns whether to try the destination.
    fn lets_through(&self) -> bool {
        if !self.is_closed() && self.failing_for() >= self.park_after {
            self.close();
        }
        !self.is_closed()
    }

    /// Returns for how long nothing was taken.
    fn failing_for(&self) -> Duration {
        let mut since = self.failing_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get_or_insert_with(Instant::now).elapsed()
    }

    /// Notes an answer. Returns whether events are parked from now on.
    fn heard(&self, answer: &Result<Answer, BoxError>) -> bool {
        let wait = match answer.as_ref().map(Answer::verdict) {
            Ok(Verdict::Pause(wait)) => wait,
            Ok(Verdict::Retry | Verdict::Unauthorized) | Err(_) => Duration::ZERO,
            Ok(_) => {
                *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return false;
            }
        };
        if self.failing_for().saturating_add(wait) < self.park_after {
            return false;
        }
        self.close();
        true
    }
}

/// A destination behind a gate.
pub(super) struct GateService {
    pub(super) gate: Arc<Gate>,
    pub(super) inner: BatchService,
}

impl Service<Batch> for GateService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        if !self.gate.lets_through() {
            return Box::pin(ready(Ok(Answer::skip(Parked))));
        }
        let (gate, answer) = (Arc::clone(&self.gate), self.inner.call(batch));
        Box::pin(async move {
            let answer = answer.await;
            if gate.heard(&answer) { Ok(Answer::skip(Parked)) } else { answer }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(verdict: Verdict) -> Result<Answer, BoxError> {
        Ok(Answer::new(verdict))
    }

    #[test]
    fn a_gate_closes_when_nothing_was_taken_for_long_enough() {
        let gate = Gate::new(Duration::from_millis(50));
        assert!(gate.lets_through());
        assert!(!gate.heard(&said(Verdict::Retry)) && gate.lets_through());
        std::thread::sleep(Duration::from_millis(60));
        assert!(gate.heard(&said(Verdict::Retry)) && gate.is_closed() && !gate.lets_through());
        gate.open();
        assert!(gate.lets_through(), "it begins anew");
    }

    #[test]
    fn what_a_destination_takes_or_refuses_keeps_its_gate_open() {
        let gate = Gate::new(Duration::from_secs(60));
        for verdict in [Verdict::Delivered, Verdict::Reject, Verdict::Skip, Verdict::Split, Verdict::SplitIfProven] {
            assert!(gate.lets_through());
            assert!(!gate.heard(&said(verdict)), "{verdict:?}");
            assert!(gate.failing_since.lock().unwrap().is_none(), "{verdict:?}");
        }
        assert!(!gate.heard(&said(Verdict::Pause(Duration::from_secs(30)))));
        assert!(gate.heard(&said(Verdict::Pause(Duration::from_secs(60)))), "a longer pause is not waited for");
    }

    #[test]
    fn a_closed_gate_opens_when_nothing_is_on_the_way() {
        let gate = Gate::new(Duration::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let pass = gate.enter().unwrap();
        let soon = Duration::from_millis(20);
        assert!(runtime.block_on(async { tokio::time::timeout(soon, gate.emptied()).await }).is_err());
        drop(pass);
        let emptied = runtime.block_on(gate.emptied());
        assert!(gate.enter().is_none());
        drop(emptied);
        assert!(gate.enter().is_some());
    }
}
