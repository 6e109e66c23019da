//! The waits between the attempts at a destination whose events are parked. An operator can end them.
//!
//! Invariant: the lane in front only ever sees short pauses, so it keeps its batches in their order and asks again soon.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, BatchService, RetryPolicy, Verdict};

/// The longest time until the end of a wait is noticed.
const LOOK: Duration = Duration::from_secs(1);

/// Says when a destination is tried again.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    /// Attempts in a row that failed.
    failures: u32,
}

impl Pause {
    /// Ends the wait: the next attempt is made within a second.
    pub(super) fn end(&self) {
        *self.state() = State::default();
    }

    /// Returns the rest of the wait.
    fn left(&self) -> Option<Duration> {
        let left = self.state().until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Notes an answer. Returns how long to wait if the attempt failed.
    fn heard(&self, answer: &Result<Answer, BoxError>) -> Option<Duration> {
        let asked = match answer.as_ref().map(Answer::verdict) {
            Ok(Verdict::Pause(wait)) => Some(wait),
            Ok(Verdict::Retry) | Err(_) => None,
            Ok(_) => {
                self.end();
                return None;
            }
        };
        let mut state = self.state();
        let doubled = RetryPolicy::BASE.saturating_mul(1 << state.failures.min(16)).min(RetryPolicy::CAP);
        state.failures = state.failures.saturating_add(1);
        let wait = asked.unwrap_or(doubled);
        state.until = Some(Instant::now() + wait);
        Some(wait)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A destination that is tried at the times that a [`Pause`] says.
pub(super) struct PauseService {
    pub(super) pause: Arc<Pause>,
    pub(super) inner: BatchService,
}

impl Service<Batch> for PauseService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        if let Some(left) = self.pause.left() {
            return Box::pin(ready(Ok(short(left))));
        }
        let (pause, answer) = (Arc::clone(&self.pause), self.inner.call(batch));
        Box::pin(async move {
            let answer = answer.await;
            let Some(wait) = pause.heard(&answer) else { return answer };
            let waiting = short(wait);
            Ok(match answer {
                Ok(answer) => match answer.status() {
                    Some(status) => waiting.with_status(status),
                    None => waiting,
                },
                Err(error) => waiting.with_error(error),
            })
        })
    }
}

fn short(wait: Duration) -> Answer {
    Answer::new(Verdict::Pause(wait.min(LOOK)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn said(verdict: Verdict) -> Result<Answer, BoxError> {
        Ok(Answer::new(verdict))
    }

    #[test]
    fn a_wait_is_as_long_as_the_destination_asks_and_an_operator_ends_it() {
        let pause = Pause::default();
        assert_eq!(pause.left(), None);
        assert_eq!(pause.heard(&said(Verdict::Pause(HOUR))), Some(HOUR));
        assert!(pause.left().is_some_and(|left| left > HOUR - LOOK));
        pause.end();
        assert_eq!(pause.left(), None);
    }

    #[test]
    fn waits_double_until_the_destination_takes_or_refuses_something() {
        let pause = Pause::default();
        let waits = || pause.heard(&said(Verdict::Retry)).unwrap();
        assert_eq!([waits(), waits(), waits()], [1, 2, 4].map(|times| RetryPolicy::BASE * times));
        assert_eq!((0..20).map(|_| waits()).max(), Some(RetryPolicy::CAP));
        for verdict in [Verdict::Delivered, Verdict::Reject, Verdict::Skip, Verdict::Split, Verdict::SplitIfProven] {
            assert!(pause.heard(&Err("it is away".into())).is_some());
            assert_eq!((pause.heard(&said(verdict)), pause.left()), (None, None), "{verdict:?}");
            assert_eq!(pause.heard(&said(Verdict::Retry)), Some(RetryPolicy::BASE), "{verdict:?}");
        }
    }
}
