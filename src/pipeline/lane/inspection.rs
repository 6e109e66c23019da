//! Notes for an inspector about a destination: each attempt, and the outcome of each event.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::job::{Job, Step};
use super::parts::Errors;
use crate::clock::Clock;
use crate::event::Message;
use crate::inspector::{Attempted, Ended, Inspector, Note, Reply};
use crate::ledger::{DeliveryError, Envelope, Outcome};
use crate::plugin::Verdict;
use crate::supervise;

/// Reports the work of one destination.
pub(super) struct LaneReporter {
    pub(super) inspector: Inspector,
    pub(super) destination: Arc<str>,
    pub(super) clock: Clock,
}

impl LaneReporter {
    /// Reports an attempt with an answer, and the next step.
    #[cold]
    pub(super) fn attempt(&self, job: &Job, verdict: Verdict, step: Step, errors: &Errors) {
        let again_at = if let Step::Retry(at) | Step::Pause(at) = step { Some(at) } else { None };
        self.report_note(job, name(verdict), again_at, errors);
    }

    /// Reports an attempt in which the destination panicked.
    #[cold]
    pub(super) fn panic(&self, job: &Job, errors: &Errors) {
        self.report_note(job, "panicked", None, errors);
    }

    fn report_note(&self, job: &Job, verdict: &'static str, again_at: Option<Duration>, errors: &Errors) {
        let now = self.clock.now();
        let took = now.saturating_sub(job.began);
        let mut texts = Texts::default();
        let events = job.messages.iter().enumerate().map(|(index, message)| {
            let reply = errors.of(index).map(|error| texts.of(error).reply).unwrap_or_default();
            (message.message_id().into_owned(), reply)
        });
        let events = events.collect();
        let wall = self.clock.wall();
        self.inspector.report(Note::Attempted(Attempted {
            destination: self.destination.clone(),
            number: job.attempts,
            at: wall.checked_sub(took).unwrap_or(wall),
            took,
            verdict,
            again_in: again_at.map(|at| at.saturating_sub(now)),
            events,
        }));
    }

    /// Reports the outcome of events. `error_of` gives the error of the event at that index.
    #[cold]
    pub(super) fn end(
        &self,
        messages: &[Arc<Envelope<Message>>],
        outcome: Outcome,
        error_of: impl Fn(usize) -> Option<Arc<DeliveryError>>,
    ) {
        let mut texts = Texts::default();
        let events = messages.iter().enumerate().map(|(index, message)| {
            let why = if outcome.is_delivered() { None } else { error_of(index) };
            let why = why.map(|error| texts.of(error).whole);
            (message.message_id().into_owned(), message.shared_json(), why)
        });
        let (destination, events) = (self.destination.clone(), events.collect());
        self.inspector.report(Note::Ended(Ended { destination, outcome, events }));
    }
}

/// The texts of the last error. Most events of a batch have the same error.
#[derive(Default)]
struct Texts(Option<(Arc<DeliveryError>, ErrorText)>);

#[derive(Clone)]
struct ErrorText {
    whole: Arc<str>,
    reply: Reply,
}

impl Texts {
    fn of(&mut self, error: Arc<DeliveryError>) -> ErrorText {
        match &self.0 {
            Some((known, text)) if Arc::ptr_eq(known, &error) => text.clone(),
            _ => {
                let text = ErrorText::new(&error);
                self.0 = Some((error, text.clone()));
                text
            }
        }
    }
}

impl ErrorText {
    fn new(error: &DeliveryError) -> Self {
        let causes = error.source().map(|source| supervise::text_with_causes(source).into());
        Self { whole: format!("{error:#}").into(), reply: Reply { status: error.status(), error: causes } }
    }
}

const fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry => "retry",
        Verdict::Pause(_) => "pause",
        Verdict::Split | Verdict::SplitIfProven => "split",
        Verdict::Reject => "reject",
        Verdict::Skip => "skip",
        Verdict::Unauthorized => "unauthorized",
    }
}
