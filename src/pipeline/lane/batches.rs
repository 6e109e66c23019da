//! The batches of one lane, from the queue to their outcome.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attempt::AttemptOutcome;
use super::inner::LaneInner;
use super::job::{Job, Messages, Step};
use super::parts::{Errors, Part, parts};
use super::report;
use super::schedule::Schedule;
use crate::event::Message;
use crate::ledger::{DeliveryError, DropReason, Envelope, Outcome};
use crate::plugin::{Answer, RetryPolicy, Verdict};
use crate::supervise::{Topic, hops, log};

/// Retries of a batch after which its destination counts as down. A single failure is none that a caller who waits for room
/// should lose events for, and a pause that the destination asks for is none at all.
const DOWN_AFTER: u32 = 2;

pub(super) struct Batches {
    lane: Arc<LaneInner>,
    retry: RetryPolicy,
    pub(super) schedule: Schedule,
    /// The newest credentials that were refused.
    refused_credentials: u64,
}

impl Batches {
    pub(super) fn new(lane: Arc<LaneInner>, retry: RetryPolicy, max_in_flight: usize) -> Self {
        Self { lane, retry, schedule: Schedule::new(max_in_flight), refused_credentials: 0 }
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

    /// Acts on the outcome of an attempt. Returns whether the destination has taken the batch.
    pub(super) fn apply(&mut self, job: Job, outcome: AttemptOutcome) -> bool {
        let _scope = hops::follow(job.depth());
        let answer = match outcome {
            AttemptOutcome::Answered(answer) => answer,
            AttemptOutcome::Panicked(message) => {
                let errors = Errors::one(DeliveryError::of(format!("the destination panicked: {message}")));
                if let Some(reporter) = &self.lane.reporter {
                    reporter.panic(&job, &errors);
                }
                self.settle_dropped(&job, DropReason::Panicked, &errors, 0);
                return false;
            }
        };
        self.apply_answer(job, answer)
    }

    fn apply_answer(&mut self, job: Job, answer: Answer) -> bool {
        let credentials = answer.credentials;
        let parts = parts(job.messages.len(), answer);
        let mut taken = false;
        for (job, Part { verdict, errors, .. }) in self.divide(job, parts) {
            taken |= self.apply_verdict(job, verdict, errors, credentials, taken);
        }
        taken
    }

    /// Makes a batch of each part, if there are several.
    fn divide(&self, job: Job, parts: Vec<Part>) -> Vec<(Job, Part)> {
        if parts.len() == 1 {
            return parts.into_iter().map(|part| (job.clone(), part)).collect();
        }
        let of = |part: &Part| part.events.iter().filter_map(|event| job.messages.get(*event)).cloned().collect();
        let messages: Vec<Messages> = parts.iter().map(of).collect();
        let Some(numbers) = self.lane.queue().divide(job.batch, &messages) else { return Vec::new() };
        let jobs = numbers.into_iter().zip(messages).map(|(number, messages)| job.part(number, messages, job.due));
        jobs.zip(parts).collect()
    }

    /// Acts on one verdict for the whole batch. `part_taken`: the destination has taken other events of the same
    /// attempt. Returns whether it has taken these.
    fn apply_verdict(
        &mut self,
        mut job: Job,
        verdict: Verdict,
        errors: Errors,
        credentials: u64,
        part_taken: bool,
    ) -> bool {
        let (now, splits) = (self.lane.clock.now(), self.schedule.may_split());
        let step = job.decide(verdict, &self.retry, now, splits, crate::random::fraction);
        let (destination, batch, attempt) = (&self.lane.name, job.batch, job.attempts);
        log!(TRACE, %destination, batch, attempt, ?verdict, ?step, "attempt ended");
        if let Some(reporter) = &self.lane.reporter {
            reporter.attempt(&job, verdict, step, &errors);
        }
        match step {
            Step::Settle(Outcome::Delivered) => {
                self.schedule.record_success();
                self.lane.emitter.works(Topic::Retry, &self.lane.name);
                self.lane.emitter.works(Topic::Unauthorized, &self.lane.name);
                self.settle_delivered(&job);
                return true;
            }
            Step::Settle(Outcome::Dropped(reason)) => self.settle_dropped(&job, reason, &errors, credentials),
            // A destination that takes a part of a batch is not failing, so other batches need not wait.
            Step::Retry(at) if part_taken => {
                self.lane.set_last_error(errors.of(0));
                self.schedule.retry(job, at);
            }
            Step::Retry(at) => {
                self.record_failure(&job, &errors, "it is tried again");
                if job.retries >= DOWN_AFTER {
                    self.lane.record_down();
                }
                self.schedule.retry(job, at);
            }
            Step::Pause(until) => {
                self.record_failure(&job, &errors, "the destination pauses, then it is tried again");
                self.schedule.pause(job, now, until);
            }
            Step::Split => self.split(&job, now),
        }
        false
    }

    /// Replaces a batch by its two halves.
    fn split(&mut self, job: &Job, now: Duration) {
        let (first, second) = job.messages.split_at(job.messages.len() / 2);
        let halves: [Arc<[_]>; 2] = [first.into(), second.into()];
        let Some(numbers) = self.lane.queue().divide(job.batch, &halves) else { return };
        let halves: Vec<Job> =
            numbers.into_iter().zip(halves).map(|(number, half)| job.part(number, half, now)).collect();
        self.schedule.record_split();
        self.schedule.add_parts(halves);
    }

    /// Keeps the error of an attempt that is repeated. Reports it if it is the first since a success.
    fn record_failure(&mut self, job: &Job, errors: &Errors, consequence: &str) {
        self.schedule.record_failure();
        self.lane.set_last_error(errors.of(0));
        let (Some(error), name) = (errors.of(0), &self.lane.name) else { return };
        let failure = || report::retrying(name, job.messages.len(), error, consequence);
        self.lane.emitter.fail_once(Topic::Retry, name, failure);
    }

    fn settle_delivered(&self, job: &Job) {
        self.lane.set_last_error(None);
        let messages = {
            let mut queue = self.lane.queue();
            let Some(messages) = queue.finish(job.batch) else { return };
            queue.counts.batches += 1;
            queue.is_down = false;
            messages
        };
        let (destination, attempts) = (&self.lane.name, job.attempts);
        log!(DEBUG, %destination, batch = job.batch, events = messages.len(), attempts, "batch delivered");
        self.lane.settle(&messages, Outcome::Delivered, |_| None);
        self.lane.emitter.emit(report::flushed(destination, job, &messages, true));
    }

    fn settle_dropped(&mut self, job: &Job, reason: DropReason, errors: &Errors, credentials: u64) {
        let Some(messages) = self.lane.queue().finish(job.batch) else { return };
        if let Some(error) = errors.of(0) {
            self.report_dropped(messages.len(), reason, error, errors.differ(), credentials);
        }
        self.lane.settle(&messages, Outcome::Dropped(reason), |event| errors.of(event));
        self.lane.emitter.emit(report::flushed(&self.lane.name, job, &messages, false));
    }

    /// Reports why events are dropped, unless the destination dropped them on purpose.
    fn report_dropped(
        &mut self,
        events: usize,
        reason: DropReason,
        error: Arc<DeliveryError>,
        differs: bool,
        credentials: u64,
    ) {
        let destination = &self.lane.name;
        if reason.is_deliberate() {
            log!(DEBUG, %destination, events, reason = %reason, why = %error, "events are not for the destination");
        } else if reason == DropReason::Unauthorized {
            self.report_unauthorized(events, credentials, error);
        } else {
            self.lane.emitter.fail(report::dropped(destination, events, reason, error, differs));
        }
    }

    /// Reports that the credentials are refused. Every batch fails alike, so one report stands for many. It is urgent
    /// if the credentials are new.
    fn report_unauthorized(&mut self, events: usize, credentials: u64, error: Arc<DeliveryError>) {
        let urgent = credentials > self.refused_credentials;
        self.refused_credentials = self.refused_credentials.max(credentials);
        let name = self.lane.name.clone();
        let failure = move |repeats| report::unauthorized(&name, repeats, error);
        self.lane.emitter.fail_throttled(Topic::Unauthorized, &self.lane.name, (events, urgent), failure);
    }

    /// Drops the events that are older than `max_age`. Returns the batch of the others, if there are any.
    pub(super) fn drop_old(&mut self, job: Job, max_age: Duration) -> Option<Job> {
        let oldest = self.lane.clock.wall().checked_sub(max_age)?;
        let is_old = |message: &Arc<Envelope<Message>>| {
            message.event().timestamp().is_some_and(|timestamp| SystemTime::from(timestamp) < oldest)
        };
        let (old, young): (Vec<usize>, Vec<usize>) =
            (0..job.messages.len()).partition(|event| job.messages.get(*event).is_some_and(is_old));
        if old.is_empty() {
            return Some(job);
        }
        let why = format!("older than the {} s of `max_age`", max_age.as_secs());
        let part =
            |events| Part { verdict: Verdict::Skip, events, errors: Errors::one(DeliveryError::of(why.clone())) };
        let parts = [old, young].map(part).into_iter().filter(|part| !part.events.is_empty());
        let mut divided = self.divide(job, parts.collect()).into_iter();
        let (old, Part { errors, .. }) = divided.next()?;
        self.settle_dropped(&old, DropReason::TooOld, &errors, 0);
        divided.next().map(|(young, _)| young)
    }

    /// Drops what was in hand when something panicked: batches that are tracked, but neither wait nor are in flight.
    #[cold]
    pub(super) fn drop_lost(&mut self, in_flight: impl Iterator<Item = u64>) {
        let known: HashSet<u64> = self.schedule.batches().chain(in_flight).collect();
        let lost = self.lane.queue().tracked_except(&known);
        for (number, messages) in lost {
            let error = DeliveryError::of("the destination's lane panicked");
            let job = Job::new(number, messages, self.lane.clock.now());
            self.settle_dropped(&job, DropReason::Panicked, &Errors::one(error), 0);
        }
    }
}
