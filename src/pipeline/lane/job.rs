//! One batch on its way through attempts, and what follows from an answer. No clock and no I/O.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Message;
use crate::ledger::{DropReason, Envelope, Outcome};
use crate::plugin::{RetryPolicy, Verdict};

/// The events of a batch.
pub(super) type Messages = Arc<[Arc<Envelope<Message>>]>;

/// A batch under way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its number in the queue.
    pub(super) batch: u64,
    pub(super) messages: Messages,
    /// The number of attempts made.
    pub(super) attempts: u32,
    /// The number of retries spent. A pause that the destination asked for spends none.
    pub(super) retries: u32,
    first_failure: Option<Duration>,
    first_pause: Option<Duration>,
    /// The time at which the last attempt began, by the client's clock.
    pub(super) began: Duration,
    /// The earliest time of the next attempt.
    pub(super) due: Duration,
}

/// The next step of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The batch has its outcome.
    Settle(Outcome),
    /// Try again at this time.
    Retry(Duration),
    /// Send nothing before this time, then this batch.
    Pause(Duration),
    /// Try again in halves.
    Split,
}

impl Job {
    pub(super) fn new(batch: u64, messages: Messages, now: Duration) -> Self {
        Self { batch, messages, attempts: 0, retries: 0, first_failure: None, first_pause: None, began: now, due: now }
    }

    /// Makes a part of this batch. It continues where the whole was.
    pub(super) fn part(&self, batch: u64, messages: Messages, now: Duration) -> Self {
        let Self { attempts, retries, first_failure, first_pause, began, .. } = *self;
        Self { batch, messages, attempts, retries, first_failure, first_pause, began, due: now }
    }

    /// Returns the largest number of events that led to one of these.
    pub(super) fn depth(&self) -> u8 {
        self.messages.iter().map(|message| message.ticket.depth()).max().unwrap_or_default()
    }

    /// Decides what follows from a verdict. `splits`: a refused batch may be tried in halves. `random`: from 0 to 1.
    pub(super) fn decide(
        &mut self,
        verdict: Verdict,
        policy: &RetryPolicy,
        now: Duration,
        splits: bool,
        random: impl FnOnce() -> f64,
    ) -> Step {
        let dropped = |reason| Step::Settle(Outcome::Dropped(reason));
        let single = self.messages.len() == 1;
        match verdict {
            Verdict::Delivered => Step::Settle(Outcome::Delivered),
            Verdict::Reject => dropped(DropReason::Rejected),
            Verdict::Skip => dropped(DropReason::Skipped),
            Verdict::Unauthorized => dropped(DropReason::Unauthorized),
            Verdict::Split if single => dropped(DropReason::TooLarge),
            Verdict::Split => Step::Split,
            Verdict::SplitIfProven if single || !splits => dropped(DropReason::Rejected),
            Verdict::SplitIfProven => Step::Split,
            Verdict::Retry => self.retry(policy, now, random()),
            Verdict::Pause(pause) => {
                let since = now.saturating_sub(*self.first_pause.get_or_insert(now));
                if policy.allows_pause(since, pause) {
                    Step::Pause(now.saturating_add(pause))
                } else {
                    dropped(DropReason::Expired)
                }
            }
        }
    }

    fn retry(&mut self, policy: &RetryPolicy, now: Duration, random: f64) -> Step {
        let since = now.saturating_sub(*self.first_failure.get_or_insert(now));
        self.retries += 1;
        match policy.next(self.retries, since, random) {
            Some(wait) => Step::Retry(now.saturating_add(wait)),
            None if policy.has_retries_left(self.retries) => Step::Settle(Outcome::Dropped(DropReason::Expired)),
            None => Step::Settle(Outcome::Dropped(DropReason::RetriesExhausted)),
        }
    }
}
