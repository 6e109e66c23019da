//! The worker of one lane: it owns the destination's service and drives everything that is under way.
//!
//! It waits for the service's readiness and for the attempts in flight together: waiting for readiness alone would
//! deadlock under a concurrency limit. A batch keeps its place (one of `in_flight`) while it waits for a retry. While
//! the destination fails, only one attempt is made at a time, until one succeeds.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tower_service::Service;

use super::super::guard::{self, Mishap};
use super::super::watchdog::Watched;
use super::Lane;
use super::job::{Job, Step};
use super::refusals::Refusals;
use crate::contained::{self, Contained, Panicked, log};
use crate::emitter::signal::Failure;
use crate::error::BoxError;
use crate::ledger::{DeliveryError, DropReason, Outcome};
use crate::plugin::{Answer, Batch, BatchService, Factory, RetryPolicy, Timer, Verdict};
use crate::reentry::{self, Because};

/// Services in a row that may die before the destination is given up.
const MOST_DEATHS: u32 = 5;

pub(super) struct LaneWorker {
    pub(super) lane: Arc<Lane>,
    service: BatchService,
    factory: Option<Factory>,
    /// Services that have died since the destination took a batch.
    deaths: u32,
    retry: RetryPolicy,
    max_in_flight: usize,
    attempt_timeout: Duration,
    /// Batches that wait for their first or next attempt.
    jobs: VecDeque<Job>,
    in_flight: FuturesUnordered<BoxFuture<'static, (Job, Attempted)>>,
    /// The batches in flight, by their numbers.
    flying: HashSet<u64>,
    paused_until: Duration,
    /// The destination has taken a batch.
    proven: bool,
    /// It has failed or asked for a pause since.
    failing: bool,
    pub(super) refusals: Refusals,
}

/// How an attempt ended.
enum Attempted {
    Answered(Answer),
    Panicked(String),
}

/// What woke the worker.
enum Woken {
    Ended(Job, Attempted),
    Ready(Result<(), BoxError>),
    /// The service panicked when it was asked whether it is ready.
    Panicked(String),
    ToLook,
}

impl LaneWorker {
    pub(super) fn new(
        lane: Arc<Lane>,
        service: BatchService,
        factory: Option<Factory>,
        retry: RetryPolicy,
        max_in_flight: usize,
        attempt_timeout: Duration,
    ) -> Self {
        Self {
            lane,
            service,
            factory,
            deaths: 0,
            retry,
            max_in_flight,
            attempt_timeout,
            jobs: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            flying: HashSet::new(),
            paused_until: Duration::ZERO,
            proven: false,
            failing: false,
            refusals: Refusals::default(),
        }
    }

    /// Works until the lane is closed and has nothing left.
    pub(super) async fn run(mut self) {
        // Should anything panic after all, it costs the batch at hand, not the destination.
        while AssertUnwindSafe(self.work()).catch_unwind().await.map_err(Panicked::new).is_err() {
            self.recover();
            tokio::task::yield_now().await;
        }
        let lane = self.lane.clone();
        // With the service: whoever waits for the end finds nothing left of it.
        drop(self);
        lane.end();
    }

    /// Drops what the worker had in hand when it panicked: what is under way and neither waits nor is in flight.
    #[cold]
    fn recover(&mut self) {
        let known: HashSet<u64> = self.jobs.iter().map(|job| job.batch).chain(self.flying.iter().copied()).collect();
        let lost = self.lane.queue().active_but(&known);
        for (number, messages) in lost {
            let error = DeliveryError::new(None, Some("the destination's lane panicked".into()));
            let job = Job::new(number, messages, self.lane.clock.now());
            self.settle_dropped(&job, DropReason::Panicked, error, 0);
        }
    }

    async fn work(&mut self) {
        loop {
            let now = self.lane.clock.now();
            let next_look = self.cut_due_batches(now);
            self.report_refusals(now);
            if self.lane.queue().has_ended() {
                break;
            }
            match self.wait(now, next_look).await {
                Woken::Ended(job, attempted) => self.follow(job, attempted),
                Woken::Ready(Ok(())) => self.attempt(),
                Woken::Ready(Err(error)) => {
                    if let Err(error) = self.rebuild(error) {
                        self.give_up(error);
                        break;
                    }
                }
                Woken::Panicked(message) => self.drop_next(message),
                Woken::ToLook => {}
            }
        }
        self.report_refusals(Duration::MAX);
    }

    /// Moves due batches out of the queue while there is a place for them. Returns when to look again.
    fn cut_due_batches(&mut self, now: Duration) -> Option<Duration> {
        let mut queue = self.lane.queue();
        queue.flushing &= self.lane.ledger.is_flushing();
        while queue.is_due(now) {
            if self.jobs.len() + self.in_flight.len() >= self.max_in_flight {
                queue.saturate();
                return None;
            }
            let (number, batch) = queue.cut();
            self.jobs.push_back(Job::new(number, batch, now));
        }
        self.lane.due_by_age(&queue)
    }

    async fn wait(&mut self, now: Duration, next_look: Option<Duration>) -> Woken {
        let startable = self.startable(now);
        let next_attempt = if startable { None } else { self.next_attempt() };
        let wake_at = [next_look, next_attempt, self.refusals.due()].into_iter().flatten().min();
        let Self { lane, service, in_flight, .. } = self;
        let watched = &lane.watched;
        let timer = async {
            match wake_at {
                Some(at) => lane.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some((job, attempted)) = in_flight.next() => Woken::Ended(job, attempted),
            woken = poll_fn(|cx| poll_ready(watched, service, cx)), if startable => woken,
            () = lane.wake.notified() => Woken::ToLook,
            () = timer => Woken::ToLook,
        }
    }

    /// Whether an attempt may begin now.
    fn startable(&self, now: Duration) -> bool {
        self.has_place() && self.paused_until <= now && self.candidates().any(|job| job.due <= now)
    }

    /// Whether one more attempt may be under way. The halves of a split batch wait for a place like whole ones.
    fn has_place(&self) -> bool {
        let most = if self.failing { 1 } else { self.max_in_flight };
        self.in_flight.len() < most
    }

    /// The batches that may go next: with one place only the first, so that events arrive in order.
    fn candidates(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().take(if self.keeps_order() { 1 } else { usize::MAX })
    }

    fn keeps_order(&self) -> bool {
        self.max_in_flight == 1
    }

    /// When an attempt may begin, if only time is in the way.
    fn next_attempt(&self) -> Option<Duration> {
        if !self.has_place() {
            return None;
        }
        self.candidates().map(|job| job.due.max(self.paused_until)).min()
    }

    /// The first batch that is due.
    fn take_due(&mut self) -> Option<Job> {
        let now = self.lane.clock.now();
        let at = self.candidates().position(|job| job.due <= now)?;
        self.jobs.remove(at)
    }

    /// Drops the batch for which the service panicked.
    fn drop_next(&mut self, message: String) {
        if let Some(job) = self.take_due() {
            self.follow(job, Attempted::Panicked(message));
        }
    }

    /// Hands the first batch that is due to the service, which is ready.
    fn attempt(&mut self) {
        let Some(mut job) = self.take_due() else { return };
        job.attempts += 1;
        let batch = Batch {
            messages: job.messages.clone(),
            attempt: job.attempts,
            sent_at: self.lane.clock.wall(),
            timer: Timer::new(self.lane.clock.clone()),
            emitter: self.lane.emitter.clone(),
        };
        {
            let mut queue = self.lane.queue();
            queue.counts.attempts += 1;
            queue.counts.retries += u64::from(job.attempts > 1);
            queue.counts.bytes += batch.bytes() as u64;
        }
        let (watched, service) = (self.lane.watched.clone(), &mut self.service);
        let (clock, limit) = (self.lane.clock.clone(), self.attempt_timeout);
        let depth = job.depth();
        let scope = reentry::because_of(depth);
        let called = guard::call(&watched, || Ok(Contained::new(service.call(batch))));
        drop(scope);
        self.flying.insert(job.batch);
        self.in_flight.push(Box::pin(async move {
            let outcome = match called {
                Ok(future) => guard::run(&watched, &clock, limit, || Because::of(depth, future)).await,
                Err(mishap) => Err(mishap),
            };
            let attempted = match outcome {
                Ok(answer) => Attempted::Answered(answer),
                Err(Mishap::Error(error)) => {
                    Attempted::Answered(Answer { error: error.into_inner(), ..Verdict::Retry.into() })
                }
                Err(Mishap::Panicked(message)) => Attempted::Panicked(message),
                Err(mishap @ Mishap::TimedOut(_)) => {
                    Attempted::Answered(Answer::new(Verdict::Retry).error(format!("the attempt {mishap}")))
                }
            };
            (job, attempted)
        }));
    }

    /// Does what follows from an attempt.
    fn follow(&mut self, mut job: Job, attempted: Attempted) {
        self.flying.remove(&job.batch);
        let _scope = reentry::because_of(job.depth());
        let answer = match attempted {
            Attempted::Answered(answer) => answer,
            Attempted::Panicked(message) => {
                let error = DeliveryError::new(None, Some(format!("the destination panicked: {message}").into()));
                return self.settle_dropped(&job, DropReason::Panicked, error, 0);
            }
        };
        let (verdict, credentials, error) = (answer.verdict, answer.credentials, answer.into_error());
        let now = self.lane.clock.now();
        match job.decide(verdict, &self.retry, now, self.proven, crate::random::fraction()) {
            Step::Settle(Outcome::Delivered) => {
                (self.proven, self.failing, self.deaths) = (true, false, 0);
                self.refusals.worked();
                self.settle_delivered(&job);
            }
            Step::Settle(Outcome::Dropped(reason)) => self.settle_dropped(&job, reason, error, credentials),
            Step::Retry(at) => {
                let first = !std::mem::replace(&mut self.failing, true);
                self.note_failure(&job, error, first, "it is tried again");
                job.due = at;
                if self.keeps_order() {
                    self.jobs.push_front(job);
                } else {
                    self.jobs.push_back(job);
                }
            }
            Step::Pause(until) => {
                let first = !std::mem::replace(&mut self.failing, true);
                self.note_failure(&job, error, first, "the destination pauses, then it is tried again");
                self.paused_until = self.paused_until.max(until);
                job.due = now;
                self.jobs.push_front(job);
            }
            Step::Split => self.split(&job, now),
        }
    }

    /// Puts the two halves in the place of the whole.
    fn split(&mut self, job: &Job, now: Duration) {
        let (first, second) = job.messages.split_at(job.messages.len() / 2);
        let mut queue = self.lane.queue();
        if queue.deactivate(job.batch).is_none() {
            return;
        }
        for half in [second, first] {
            let half: Arc<[_]> = half.into();
            let number = queue.activate(half.clone());
            self.jobs.push_front(job.part(number, half, now));
        }
    }

    fn settle_delivered(&self, job: &Job) {
        self.lane.remember(None);
        let messages = {
            let mut queue = self.lane.queue();
            let Some(messages) = queue.finish(job.batch) else { return };
            queue.counts.batches += 1;
            messages
        };
        let (destination, attempts) = (self.lane.name(), job.attempts);
        log!(DEBUG, %destination, events = messages.len(), attempts, "batch delivered");
        self.lane.settle(&messages, Outcome::Delivered, None);
        self.tell_flushed(job, &messages, true);
    }

    fn settle_dropped(&mut self, job: &Job, reason: DropReason, error: DeliveryError, credentials: u64) {
        let Some(messages) = self.lane.queue().finish(job.batch) else { return };
        let (events, error) = (messages.len(), Arc::new(error));
        if reason == DropReason::Unauthorized {
            self.refusals.add(events, credentials, error.clone());
            self.report_refusals(self.lane.clock.now());
        } else {
            self.report_dropped(format!("{events} events dropped ({reason}): {error}"), events, reason, error.clone());
        }
        self.lane.settle(&messages, Outcome::Dropped(reason), Some(error));
        self.tell_flushed(job, &messages, false);
    }

    /// The service is dead: it will never be ready again. Puts a new one in its place, which is asked after a while.
    fn rebuild(&mut self, error: BoxError) -> Result<(), BoxError> {
        self.deaths += 1;
        let Some(factory) = self.factory.as_mut().filter(|_| self.deaths < MOST_DEATHS) else { return Err(error) };
        let made = guard::call(&self.lane.watched, || Ok(factory()));
        match made {
            Ok(service) => self.service = service,
            Err(mishap) => {
                contained::discard(error);
                return Err(format!("to make it again {mishap}").into());
            }
        }
        let wait = self.retry.wait(self.deaths, crate::random::fraction());
        self.paused_until = self.paused_until.max(self.lane.clock.now().saturating_add(wait));
        let error_text = contained::text(&error);
        let message = format!("the destination's service is dead: {error_text}; it is made again");
        let mut failure = Failure::new(self.lane.name().clone(), message, 0);
        failure.error = Some(Arc::from(error));
        self.lane.emitter.fail(failure);
        Ok(())
    }

    /// The service is dead for good.
    fn give_up(&mut self, error: BoxError) {
        let dropped = self.lane.abandon(DropReason::Unavailable);
        let (error_text, events) = (contained::text(&error), dropped);
        let message = format!("the destination can take no more events: {error_text}; {events} are dropped");
        let mut failure = Failure::new(self.lane.name().clone(), message, dropped);
        (failure.dropped, failure.error) = (Some(DropReason::Unavailable), Some(Arc::from(error)));
        self.lane.emitter.fail(failure);
    }
}

fn poll_ready(watched: &Watched, service: &mut BatchService, cx: &mut Context<'_>) -> Poll<Woken> {
    match guard::call(watched, || Ok(service.poll_ready(cx))) {
        Ok(poll) => poll.map(Woken::Ready),
        Err(Mishap::Panicked(message)) => Poll::Ready(Woken::Panicked(message)),
        Err(mishap) => Poll::Ready(Woken::Panicked(mishap.to_string())),
    }
}
