//! The batches of one lane: cut from the queue, scheduled, and followed to their outcome.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::attempt::AttemptOutcome;
use super::inner::LaneInner;
use super::job::{Job, Step};
use super::refusals::Refusals;
use super::report;
use super::schedule::Schedule;
use crate::ledger::{DeliveryError, DropReason, Outcome};
use crate::plugin::{Answer, RetryPolicy};
use crate::supervise::{hops, log};

pub(super) struct Batches {
    lane: Arc<LaneInner>,
    retry: RetryPolicy,
    pub(super) schedule: Schedule,
    pub(super) refusals: Refusals,
}

impl Batches {
    pub(super) fn new(lane: Arc<LaneInner>, retry: RetryPolicy, max_in_flight: usize) -> Self {
        Self { lane, retry, schedule: Schedule::new(max_in_flight), refusals: Refusals::default() }
    }

    /// Moves due batches out of the queue while there is a place for them. Returns when to look again.
    pub(super) fn cut_due(&mut self, now: Duration, in_flight: usize) -> Option<Duration> {
        let mut queue = self.lane.queue();
        if !self.lane.ledger.is_flushing() {
            queue.end_flush();
        }
        while queue.is_due(now) {
            if !self.schedule.has_room(in_flight) {
                queue.mark_saturated();
                return None;
            }
            let (number, batch) = queue.cut_batch();
            self.schedule.add(Job::new(number, batch, now));
        }
        queue.due_by_age()
    }

    /// Does what follows from an attempt. Returns whether the destination has taken the batch.
    pub(super) fn apply(&mut self, job: Job, outcome: AttemptOutcome) -> bool {
        let _scope = hops::after(job.depth());
        let answer = match outcome {
            AttemptOutcome::Answered(answer) => answer,
            AttemptOutcome::Panicked(message) => {
                let error = DeliveryError::new(None, Some(format!("the destination panicked: {message}").into()));
                self.settle_dropped(&job, DropReason::Panicked, error, 0);
                return false;
            }
        };
        self.apply_answer(job, answer)
    }

    fn apply_answer(&mut self, mut job: Job, answer: Answer) -> bool {
        let (verdict, credentials, error) = (answer.verdict, answer.credentials, answer.into_error());
        let (now, proven) = (self.lane.clock.now(), self.schedule.is_proven());
        let step = job.decide(verdict, &self.retry, now, proven, crate::random::fraction());
        let (destination, batch, attempt) = (&self.lane.name, job.batch, job.attempts);
        log!(TRACE, %destination, batch, attempt, ?verdict, ?step, "attempt ended");
        match step {
            Step::Settle(Outcome::Delivered) => {
                self.schedule.record_success();
                self.refusals.worked();
                self.settle_delivered(&job);
                return true;
            }
            Step::Settle(Outcome::Dropped(reason)) => self.settle_dropped(&job, reason, error, credentials),
            Step::Retry(at) => {
                self.record_failure(&job, error, "it is tried again");
                self.schedule.retry(job, at);
            }
            Step::Pause(until) => {
                self.record_failure(&job, error, "the destination pauses, then it is tried again");
                self.schedule.pause(job, now, until);
            }
            Step::Split => self.split(&job, now),
        }
        false
    }

    /// Puts two halves in the place of the whole.
    fn split(&mut self, job: &Job, now: Duration) {
        let (first, second) = job.messages.split_at(job.messages.len() / 2);
        let (first, second): (Arc<[_]>, Arc<[_]>) = (first.into(), second.into());
        let numbers = self.lane.queue().split(job.batch, first.clone(), second.clone());
        let Some((number, next)) = numbers else { return };
        self.schedule.add_halves(job.part(number, first, now), job.part(next, second, now));
    }

    /// Keeps the error of an attempt that is repeated. Reports it if it is the first since one succeeded.
    fn record_failure(&mut self, job: &Job, error: DeliveryError, consequence: &str) {
        let error = Arc::new(error);
        let is_first = self.schedule.record_failure();
        self.lane.set_last_error(Some(error.clone()));
        if is_first {
            self.lane.emitter.fail(report::retrying(&self.lane.name, job.messages.len(), error, consequence));
        }
    }

    fn settle_delivered(&self, job: &Job) {
        self.lane.set_last_error(None);
        let messages = {
            let mut queue = self.lane.queue();
            let Some(messages) = queue.finish(job.batch) else { return };
            queue.counts.batches += 1;
            messages
        };
        let (destination, attempts) = (&self.lane.name, job.attempts);
        log!(DEBUG, %destination, batch = job.batch, events = messages.len(), attempts, "batch delivered");
        self.lane.settle(&messages, Outcome::Delivered, None);
        self.lane.emitter.emit(report::flushed(destination, job, &messages, true));
    }

    fn settle_dropped(&mut self, job: &Job, reason: DropReason, error: DeliveryError, credentials: u64) {
        let Some(messages) = self.lane.queue().finish(job.batch) else { return };
        let (events, error) = (messages.len(), Arc::new(error));
        if reason == DropReason::Unauthorized {
            self.refusals.add(events, credentials, error.clone());
            self.report_refusals(self.lane.clock.now());
        } else {
            self.lane.emitter.fail(report::dropped(&self.lane.name, events, reason, error.clone()));
        }
        self.lane.settle(&messages, Outcome::Dropped(reason), Some(error));
        self.lane.emitter.emit(report::flushed(&self.lane.name, job, &messages, false));
    }

    /// Reports refused credentials if a report is due; at the end of time everything is.
    pub(super) fn report_refusals(&mut self, now: Duration) {
        if let Some(refused) = self.refusals.take_due(now) {
            self.lane.emitter.fail(report::unauthorized(&self.lane.name, refused));
        }
    }

    /// Drops what was in hand when something panicked: batches that are tracked and neither wait nor are in flight.
    #[cold]
    pub(super) fn drop_lost(&mut self, in_flight: impl Iterator<Item = u64>) {
        let known: HashSet<u64> = self.schedule.batches().chain(in_flight).collect();
        let lost = self.lane.queue().tracked_except(&known);
        for (number, messages) in lost {
            let error = DeliveryError::new(None, Some("the destination's lane panicked".into()));
            let job = Job::new(number, messages, self.lane.clock.now());
            self.settle_dropped(&job, DropReason::Panicked, error, 0);
        }
    }
}
