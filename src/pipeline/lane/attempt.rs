//! One attempt at a batch: handed to the service, bounded in time, its panics caught.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::inner::LaneInner;
use super::job::Job;
use super::report;
use super::service::LaneService;
use crate::plugin::{Answer, Batch, Timer, Verdict};
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, Fault, log};

/// How an attempt ended.
pub(super) enum AttemptOutcome {
    Answered(Answer),
    Panicked(String),
}

/// An attempt in flight. Resolves to the batch and the outcome.
pub(super) struct Attempt {
    pub(super) batch: u64,
    future: BoxFuture<'static, (Job, AttemptOutcome)>,
}

impl Attempt {
    /// Hands the batch to the service. The service must be ready.
    pub(super) fn start(lane: &LaneInner, service: &mut LaneService, limit: Duration, mut job: Job) -> Self {
        job.attempts += 1;
        job.began = lane.clock.now();
        let batch = Batch {
            messages: job.messages.clone(),
            number: job.batch,
            attempt: job.attempts,
            sent_at: lane.clock.wall(),
            timer: Timer::new(lane.clock.clone()),
            emitter: lane.emitter.clone(),
        };
        let (events, bytes) = (batch.len(), batch.bytes());
        lane.queue().counts.record_attempt(job.attempts, bytes);
        let (destination, attempt) = (&lane.name, job.attempts);
        log!(TRACE, %destination, batch = job.batch, attempt, events, bytes, "attempt begins");
        report::trace_events(&lane.name, &job);
        let (watched, clock) = (service.watched().clone(), lane.clock.clone());
        let (number, depth) = (job.batch, job.depth());
        let scope = hops::follow(depth);
        let called = service.call(batch);
        drop(scope);
        let future = Box::pin(async move {
            let outcome = match called {
                Ok(future) => supervise::run(&watched, &clock, limit, || WithHops::follow(depth, future)).await,
                Err(fault) => Err(fault),
            };
            (job, AttemptOutcome::from(outcome))
        });
        Self { batch: number, future }
    }
}

impl Future for Attempt {
    type Output = (Job, AttemptOutcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(cx)
    }
}

impl From<Result<Answer, Fault>> for AttemptOutcome {
    fn from(outcome: Result<Answer, Fault>) -> Self {
        match outcome {
            Ok(answer) => AttemptOutcome::Answered(answer),
            Err(Fault::Error(error)) => {
                AttemptOutcome::Answered(Answer { error: error.into_inner().map(Arc::from), ..Verdict::Retry.into() })
            }
            Err(Fault::Panicked(message)) => AttemptOutcome::Panicked(message),
            Err(fault @ Fault::TimedOut(_)) => {
                AttemptOutcome::Answered(Answer::new(Verdict::Retry).with_error(format!("the attempt {fault}")))
            }
        }
    }
}
