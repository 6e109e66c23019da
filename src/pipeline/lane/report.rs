//! The failures that a lane reports. Each says what went wrong and what happens to the events.

use std::sync::Arc;

use super::job::Job;
use crate::emitter::signal::{Emitted, Failure, Flushed};
use crate::error::BoxError;
use crate::event::Message;
use crate::ledger::{DeliveryError, DropReason, Envelope};
use crate::plugin::QueueLimits;
use crate::supervise::{self, Repeats, log};

/// Events are dropped because the queue is full.
pub(super) fn overflow(destination: &Arc<str>, limits: &QueueLimits) -> Failure {
    let message = format!(
        "the queue is full: more than {} events or {} bytes are under way; events are dropped until there is room",
        limits.events, limits.bytes
    );
    let mut failure = Failure::of_destination(destination.clone(), message, 1);
    failure.dropped = Some(DropReason::QueueFull);
    failure
}

/// The lane itself is broken.
pub(super) fn lane_panicked(destination: &Arc<str>, events: usize) -> Failure {
    let message = format!("the destination's lane panicked, and takes no more events; {events} are dropped");
    let mut failure = Failure::of_destination(destination.clone(), message, events);
    failure.dropped = Some(DropReason::Panicked);
    failure
}

/// Events were dropped. If their errors differ, `error` is the first.
pub(super) fn dropped(
    destination: &Arc<str>,
    events: usize,
    reason: DropReason,
    error: Arc<DeliveryError>,
    differs: bool,
) -> Failure {
    let first = if differs { "the first: " } else { "" };
    let message = format!("{} dropped ({reason}): {first}{error:#}", count(events));
    with_error(destination, message, events, reason, error)
}

/// Batches were dropped because the destination refuses the credentials.
pub(super) fn unauthorized(destination: &Arc<str>, repeats: Repeats, error: Arc<DeliveryError>) -> Failure {
    let Repeats { events, failures: batches } = repeats;
    let reason = DropReason::Unauthorized;
    let message = match batches {
        1 => format!("{} dropped ({reason}): {error:#}; further reports are limited to one per minute", count(events)),
        _ => format!("{events} events in {batches} batches dropped ({reason}): {error:#}"),
    };
    with_error(destination, message, events, reason, error)
}

fn with_error(
    destination: &Arc<str>,
    message: String,
    events: usize,
    reason: DropReason,
    error: Arc<DeliveryError>,
) -> Failure {
    let mut failure = Failure::of_destination(destination.clone(), message, events);
    failure.dropped = Some(reason);
    failure.error = Some(error);
    failure
}

/// An attempt failed, and the batch is tried again.
pub(super) fn retrying(destination: &Arc<str>, events: usize, error: Arc<DeliveryError>, consequence: &str) -> Failure {
    let message = format!("an attempt at {} failed: {error:#}; {consequence}", count(events));
    let mut failure = Failure::of_destination(destination.clone(), message, events);
    failure.retried = true;
    failure.error = Some(error);
    failure
}

fn count(events: usize) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{events} events") }
}

/// The service is dead, and a new one is made.
pub(super) fn rebuilding(destination: &Arc<str>, error: BoxError) -> Failure {
    let text = supervise::text(&error);
    let message = format!("the destination's service is dead: {text}; rebuilding the service");
    let mut failure = Failure::of_destination(destination.clone(), message, 0);
    (failure.retried, failure.error) = (true, Some(Arc::from(error)));
    failure
}

/// The service is dead for good.
pub(super) fn unavailable(destination: &Arc<str>, events: usize, error: BoxError) -> Failure {
    let text = supervise::text(&error);
    let message = format!("the destination can take no more events: {text}; {events} are dropped");
    let mut failure = Failure::of_destination(destination.clone(), message, events);
    (failure.dropped, failure.error) = (Some(DropReason::Unavailable), Some(Arc::from(error)));
    failure
}

/// A batch has its outcome.
pub(super) fn flushed(
    destination: &Arc<str>,
    job: &Job,
    messages: &[Arc<Envelope<Message>>],
    delivered: bool,
) -> Emitted {
    Emitted::Flush(Flushed {
        destination: destination.clone(),
        events: messages.len(),
        bytes: messages.iter().map(|message| message.json().len()).sum(),
        attempts: job.attempts,
        delivered,
    })
}

/// Logs the ids of the events in an attempt.
pub(super) fn trace_events(destination: &str, job: &Job) {
    if tracing::level_filters::LevelFilter::current() < tracing::Level::TRACE {
        return;
    }
    for message in job.messages.iter() {
        let (batch, attempt, message_id) = (job.batch, job.attempts, message.message_id());
        log!(TRACE, destination, batch, attempt, %message_id, "event in the attempt");
    }
}
