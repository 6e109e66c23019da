//! What the worker of a lane tells: failures, drops, and batches that have their outcome.

use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use super::refusals::Refused;
use super::worker::LaneWorker;
use crate::emitter::signal::{Emitted, Failure, Flushed};
use crate::event::Message;
use crate::ledger::{DeliveryError, DropReason};

impl LaneWorker {
    pub(super) fn report_refusals(&mut self, now: Duration) {
        let Some(Refused { events, batches, error }) = self.refusals.take_due(now) else { return };
        let reason = DropReason::Unauthorized;
        let message = match batches {
            1 => format!("{events} events dropped ({reason}): {error}; if that goes on, it is said once a minute"),
            _ => format!("{events} events in {batches} batches dropped ({reason}): {error}"),
        };
        self.report_dropped(message, events, reason, error);
    }

    pub(super) fn report_dropped(&self, message: String, events: usize, reason: DropReason, error: Arc<DeliveryError>) {
        let mut failure = Failure::new(self.lane.name().clone(), message, events);
        failure.dropped = Some(reason);
        failure.error = Some(error);
        self.lane.emitter.fail(failure);
    }

    pub(super) fn tell_flushed(&self, job: &Job, messages: &[Arc<Message>], delivered: bool) {
        self.lane.emitter.emit(Emitted::Flush(Flushed {
            destination: self.lane.name().clone(),
            events: messages.len(),
            bytes: messages.iter().map(|message| message.json().len()).sum(),
            attempts: job.attempts,
            delivered,
        }));
    }

    /// Remembers why an attempt failed that is repeated, and reports it if it is the first since one succeeded.
    pub(super) fn note_failure(&self, job: &Job, error: DeliveryError, first: bool, consequence: &str) {
        let error = Arc::new(error);
        self.lane.remember(Some(error.clone()));
        if first {
            let message = format!("an attempt at {} events failed: {error}; {consequence}", job.messages.len());
            let mut failure = Failure::new(self.lane.name().clone(), message, job.messages.len());
            failure.error = Some(error);
            self.lane.emitter.fail(failure);
        }
    }
}
