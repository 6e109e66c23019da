//! Decides which batch goes next, and when. No I/O and no clock.
//!
//! A batch keeps its place among the `max_in_flight` while it waits for a retry. While the destination fails, only one
//! attempt is made at a time, until one succeeds.

use std::collections::VecDeque;
use std::time::Duration;

use super::job::Job;

/// Batches that are split before the destination has taken any. It may refuse them all, because of its settings.
const FIRST_SPLITS: u8 = 64;

/// The batches of a lane that wait for their first or next attempt, and what is known of the destination.
#[derive(Debug)]
pub(super) struct Schedule {
    jobs: VecDeque<Job>,
    max_in_flight: usize,
    paused_until: Duration,
    /// The destination has failed or asked for a pause since it last took a batch.
    failing: bool,
    /// The destination has taken a batch.
    proven: bool,
    /// How many more batches may be split before it has.
    first_splits: u8,
}

/// What the worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Start an attempt now.
    Start,
    /// Start an attempt at this time.
    WaitUntil(Duration),
    /// Nothing waits, or something has to end first.
    Idle,
}

impl Schedule {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            jobs: VecDeque::new(),
            max_in_flight,
            paused_until: Duration::ZERO,
            failing: false,
            proven: false,
            first_splits: FIRST_SPLITS,
        }
    }

    /// Decides what to do while so many attempts are in flight.
    pub(super) fn next(&self, now: Duration, in_flight: usize) -> Next {
        if in_flight >= self.max_attempts() {
            return Next::Idle;
        }
        match self.candidates().map(|job| job.due.max(self.paused_until)).min() {
            Some(at) if at <= now => Next::Start,
            Some(at) => Next::WaitUntil(at),
            None => Next::Idle,
        }
    }

    /// Takes out the first batch that is due.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Job> {
        let at = self.candidates().position(|job| job.due <= now)?;
        self.jobs.remove(at)
    }

    /// Returns whether one more batch may leave the queue.
    pub(super) fn has_room(&self, in_flight: usize) -> bool {
        self.jobs.len() + in_flight < self.max_in_flight
    }

    /// Adds a new batch behind the others.
    pub(super) fn add(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    /// Puts the parts of a batch in its place. They wait for a place like whole batches.
    pub(super) fn add_parts(&mut self, parts: Vec<Job>) {
        parts.into_iter().rev().for_each(|part| self.jobs.push_front(part));
    }

    /// Has the batch tried again at that time.
    pub(super) fn retry(&mut self, mut job: Job, at: Duration) {
        job.due = at;
        if self.keeps_order() {
            self.jobs.push_front(job);
        } else {
            self.jobs.push_back(job);
        }
    }

    /// Has nothing sent before `until`, and then this batch first.
    pub(super) fn pause(&mut self, mut job: Job, now: Duration, until: Duration) {
        self.pause_until(until);
        job.due = now;
        self.jobs.push_front(job);
    }

    /// Has nothing sent before this time.
    pub(super) fn pause_until(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Notes that the destination has taken a batch.
    pub(super) fn record_success(&mut self) {
        (self.proven, self.failing) = (true, false);
    }

    /// Notes that the destination has failed.
    pub(super) fn record_failure(&mut self) {
        self.failing = true;
    }

    /// Notes that a batch was split.
    pub(super) fn record_split(&mut self) {
        self.first_splits = self.first_splits.saturating_sub(1);
    }

    /// Returns whether a batch that is refused may be split: one of its events may be the reason.
    pub(super) fn may_split(&self) -> bool {
        self.proven || self.first_splits > 0
    }

    /// Returns the numbers of the batches that wait here.
    pub(super) fn batches(&self) -> impl Iterator<Item = u64> {
        self.jobs.iter().map(|job| job.batch)
    }

    fn max_attempts(&self) -> usize {
        if self.failing { 1 } else { self.max_in_flight }
    }

    /// Returns the batches that may go next. With one place that is only the first, so that events arrive in order.
    fn candidates(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().take(if self.keeps_order() { 1 } else { usize::MAX })
    }

    fn keeps_order(&self) -> bool {
        self.max_in_flight == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 100;

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn job(batch: u64, due: u64) -> Job {
        Job::new(batch, [].into(), second(due))
    }

    /// Makes a schedule with batches 1, 2, … that are due at these seconds.
    fn schedule(max_in_flight: usize, due: &[u64]) -> Schedule {
        let mut schedule = Schedule::new(max_in_flight);
        (1..).zip(due).for_each(|(batch, due)| schedule.add(job(batch, *due)));
        schedule
    }

    /// Places, when batches are due, attempts in flight, paused until, failing → next.
    type Row = (usize, &'static [u64], usize, u64, bool, Next);

    #[test]
    fn the_next_step_follows_from_jobs_places_pause_and_failures() {
        let wait = |until| Next::WaitUntil(second(until));
        let table: &[Row] = &[
            (8, &[], 0, 0, false, Next::Idle),
            (8, &[100], 0, 0, false, Next::Start),
            (8, &[101], 0, 0, false, wait(101)),
            (8, &[103, 102], 0, 0, false, wait(102)),
            (8, &[103, 100], 0, 0, false, Next::Start),
            // Every place is taken.
            (2, &[100], 2, 0, false, Next::Idle),
            (2, &[100], 1, 0, false, Next::Start),
            // A split batch may have more parts than there are places: they wait.
            (1, &[100, 100], 1, 0, false, Next::Idle),
            // A failing destination gets one attempt at a time.
            (8, &[100], 1, 0, true, Next::Idle),
            (8, &[100], 0, 0, true, Next::Start),
            // A pause holds everything.
            (8, &[100], 0, 100, false, Next::Start),
            (8, &[100], 0, 107, false, wait(107)),
            (8, &[109], 0, 107, false, wait(109)),
            (8, &[], 0, 107, false, Next::Idle),
            // With one place the first batch holds back the others.
            (1, &[103, 100], 0, 0, false, wait(103)),
            (1, &[100, 103], 0, 0, false, Next::Start),
        ];
        for (row, &(max_in_flight, due, in_flight, paused, failing, expected)) in table.iter().enumerate() {
            let mut schedule = schedule(max_in_flight, due);
            schedule.pause_until(second(paused));
            if failing {
                schedule.record_failure();
            }
            assert_eq!(schedule.next(second(NOW), in_flight), expected, "row {row}: {schedule:?}");
        }
    }

    #[test]
    fn what_may_start_is_what_is_taken() {
        for max_in_flight in [1, 2, 8] {
            for due in [vec![], vec![100], vec![101], vec![101, 100], vec![100, 101], vec![99, 98]] {
                let mut schedule = schedule(max_in_flight, &due);
                let starts = schedule.next(second(NOW), 0) == Next::Start;
                assert_eq!(schedule.take_due(second(NOW)).is_some(), starts, "{max_in_flight} places, due at {due:?}");
            }
        }
    }

    /// Returns the batches in the order in which they are taken.
    fn order(mut schedule: Schedule) -> Vec<u64> {
        std::iter::from_fn(|| schedule.take_due(second(1000))).map(|job| job.batch).collect()
    }

    #[test]
    fn a_retry_goes_behind_the_others_unless_there_is_one_place() {
        for (max_in_flight, expected) in [(1, [1, 2, 3]), (2, [2, 3, 1])] {
            let mut schedule = schedule(max_in_flight, &[0, 0, 0]);
            let first = schedule.take_due(second(NOW)).unwrap();
            schedule.retry(first, second(NOW + 1));
            assert_eq!(order(schedule), expected, "{max_in_flight} places");
        }
    }

    #[test]
    fn after_a_pause_and_a_split_the_batch_goes_first() {
        let mut schedule = schedule(8, &[0, 0]);
        let first = schedule.take_due(second(NOW)).unwrap();
        schedule.pause(first, second(NOW), second(NOW + 5));
        assert_eq!(schedule.next(second(NOW), 0), Next::WaitUntil(second(NOW + 5)));
        let first = schedule.take_due(second(NOW + 5)).unwrap();
        assert_eq!(first.batch, 1);
        schedule.add_parts(vec![job(3, 0), job(4, 0)]);
        assert_eq!(order(schedule), [3, 4, 2]);
    }

    #[test]
    fn a_shorter_pause_does_not_end_a_longer_one() {
        let mut schedule = schedule(8, &[0]);
        schedule.pause_until(second(NOW + 9));
        schedule.pause_until(second(NOW + 1));
        assert_eq!(schedule.next(second(NOW), 0), Next::WaitUntil(second(NOW + 9)));
    }

    #[test]
    fn a_success_ends_what_failures_began() {
        let mut schedule = schedule(8, &[0]);
        schedule.record_failure();
        assert_eq!(schedule.next(second(NOW), 1), Next::Idle, "one attempt at a time");
        schedule.record_success();
        assert_eq!(schedule.next(second(NOW), 1), Next::Start);
    }

    #[test]
    fn only_so_many_batches_are_split_before_the_destination_has_taken_one() {
        let mut schedule = schedule(8, &[]);
        for _ in 0..FIRST_SPLITS {
            assert!(schedule.may_split());
            schedule.record_split();
        }
        assert!(!schedule.may_split());
        schedule.record_success();
        assert!(schedule.may_split());
        schedule.record_split();
        assert!(schedule.may_split());
    }

    #[test]
    fn batches_that_wait_for_a_retry_keep_their_place() {
        let schedule = schedule(3, &[500]);
        assert_eq!([0, 1, 2, 3].map(|in_flight| schedule.has_room(in_flight)), [true, true, false, false]);
    }
}
