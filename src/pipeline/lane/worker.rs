//! The worker of one lane. It owns the destination's service and drives everything that is under way.
//!
//! It waits for the service's readiness and for the attempts in flight together. To wait for readiness alone would
//! deadlock under a concurrency limit.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::attempt::{Attempt, AttemptOutcome};
use super::batches::Batches;
use super::config::LaneConfig;
use super::inner::LaneInner;
use super::job::Job;
use super::report;
use super::schedule::Next;
use super::service::{LaneService, Readiness};
use super::state::LaneState;
use crate::error::BoxError;
use crate::ledger::DropReason;
use crate::plugin::RetryPolicy;
use crate::supervise::{self, Watched};

pub(super) struct LaneWorker {
    lane: Arc<LaneInner>,
    service: LaneService,
    batches: Batches,
    in_flight: FuturesUnordered<Attempt>,
    attempt_timeout: Duration,
    /// The greatest age at which an event is still sent.
    max_age: Option<Duration>,
    /// Also the pause before a rebuilt service is asked.
    retry: RetryPolicy,
}

/// The event that woke the worker.
enum Wake {
    Ended(Job, AttemptOutcome),
    Answered(Readiness),
    /// It is time to look at the queue, or something changed there.
    Poll,
}

impl LaneWorker {
    pub(super) fn new(lane: Arc<LaneInner>, watched: Arc<Watched>, config: LaneConfig) -> Self {
        let LaneConfig { service, factory, retry, max_in_flight, attempt_timeout, max_age, .. } = config;
        Self {
            service: LaneService::new(service, factory, watched),
            batches: Batches::new(lane.clone(), retry.clone(), max_in_flight),
            in_flight: FuturesUnordered::new(),
            attempt_timeout,
            max_age,
            retry,
            lane,
        }
    }

    /// Works until the lane is closed and has nothing left.
    pub(super) async fn run(mut self) {
        // If anything panics after all, it costs the current batch, not the destination.
        while supervise::catch_future(pin!(self.work())).await.is_err() {
            self.batches.drop_lost(self.in_flight.iter().map(|attempt| attempt.batch));
            tokio::task::yield_now().await;
        }
        let lane = self.lane.clone();
        // The service is dropped before anyone learns of the end.
        drop(self);
        lane.stop();
    }

    async fn work(&mut self) {
        loop {
            let now = self.lane.clock.now();
            let next_look = self.batches.cut_due(now, self.in_flight.len());
            if matches!(self.lane.state(), LaneState::Drained(_)) {
                break;
            }
            match self.wait(now, next_look).await {
                Wake::Ended(job, outcome) => {
                    self.apply(job, outcome);
                    // Events that the pipeline has ready go into the next batch.
                    tokio::task::yield_now().await;
                }
                Wake::Answered(Readiness::Ready) => self.start(),
                Wake::Answered(Readiness::Panicked(message)) => self.drop_next(message),
                Wake::Answered(Readiness::Dead(error)) => {
                    if let Err(error) = self.rebuild(error) {
                        let dropped = self.lane.abandon(DropReason::Unavailable);
                        self.lane.emitter.fail(report::unavailable(&self.lane.name, dropped, error));
                        break;
                    }
                }
                Wake::Poll => {}
            }
        }
    }

    async fn wait(&mut self, now: Duration, next_look: Option<Duration>) -> Wake {
        let next = self.batches.schedule.next(now, self.in_flight.len());
        let next_attempt = if let Next::WaitUntil(at) = next { Some(at) } else { None };
        let wake_at = [next_look, next_attempt].into_iter().flatten().min();
        let Self { lane, service, in_flight, .. } = self;
        let timer = async {
            match wake_at {
                Some(at) => lane.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some((job, outcome)) = in_flight.next() => Wake::Ended(job, outcome),
            readiness = poll_fn(|cx| service.poll_ready(cx)), if next == Next::Start => Wake::Answered(readiness),
            () = lane.wake.notified() => Wake::Poll,
            () = timer => Wake::Poll,
        }
    }

    /// Starts an attempt at the first batch that is due. The service must be ready.
    fn start(&mut self) {
        let Some(mut job) = self.batches.schedule.take_due(self.lane.clock.now()) else { return };
        if let Some(max_age) = self.max_age {
            let Some(young) = self.batches.drop_old(job, max_age) else { return };
            job = young;
        }
        self.in_flight.push(Attempt::start(&self.lane, &mut self.service, self.attempt_timeout, job));
    }

    fn apply(&mut self, job: Job, outcome: AttemptOutcome) {
        if self.batches.apply(job, outcome) {
            self.service.record_success();
        }
    }

    /// Drops the batch that the service panicked at.
    fn drop_next(&mut self, message: String) {
        if let Some(job) = self.batches.schedule.take_due(self.lane.clock.now()) {
            self.apply(job, AttemptOutcome::Panicked(message));
        }
    }

    /// Replaces the dead service. The new one is asked after a backoff.
    fn rebuild(&mut self, error: BoxError) -> Result<(), BoxError> {
        let (rebuilds, error) = self.service.rebuild(error)?;
        self.lane.record_down();
        let wait = self.retry.wait(rebuilds, crate::random::fraction());
        self.batches.schedule.pause_until(self.lane.clock.now().saturating_add(wait));
        self.lane.emitter.fail(report::rebuilding(&self.lane.name, error));
        Ok(())
    }
}
