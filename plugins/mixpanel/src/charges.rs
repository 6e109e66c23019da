//! Charges: changes that Mixpanel counts each time they are sent. They go last, and only of events that it has.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{Answers, EventError, Outgoing, Received, Secret, is_surely_unsent, message_id};

use crate::answer::answer;

/// A charge, with the index of its event in the batch.
pub(crate) type Charge = (usize, Value);

/// Returns the charges that may be sent: those of events that Mixpanel has. If another request of the batch failed, these
/// are none, and the events come again: all but their charges may be sent twice.
pub(crate) fn ready(mut charges: Vec<Charge>, batch: &Batch, answers: &mut Answers) -> Vec<Charge> {
    let before = answers.clone().finish();
    charges.retain(|(event, _)| before.verdict_of(*event) == Verdict::Delivered);
    match (0..batch.len()).find_map(|event| not_sent_after(before.verdict_of(event))) {
        Some(not_sent) => {
            answers.add(charges.iter().map(|(event, _)| *event), &not_sent);
            Vec::new()
        }
        None => charges,
    }
}

/// Sends charges in turn until a request fails, for as long as `limit` at most.
pub(crate) async fn send(
    batch: &Batch,
    requests: Vec<Outgoing>,
    limit: Duration,
    answers: &mut Answers,
    secrets: &[Secret],
) {
    // It begins when an answer is waited for.
    let mut deadline = pin!(async { batch.timer().sleep(limit).await });
    let mut failed: Option<Answer> = None;
    // The events of which a charge was sent.
    let mut tries: Vec<usize> = Vec::new();
    for request in requests {
        if let Some(failed) = &failed {
            // An event of which another charge was sent must not come again.
            let (again, lost): (Vec<usize>, Vec<usize>) =
                request.events.iter().partition(|event| !tries.contains(event));
            answers.add(again, failed);
            lost.into_iter()
                .for_each(|event| answers.add([event], &missing(batch, event, "a charge before it failed")));
            continue;
        }
        tries.extend(&request.events);
        let sent = request.client.send(batch, request.payload.clone(), HeaderMap::new());
        let known = match select(pin!(sent), deadline.as_mut()).await {
            Either::Left((Ok(received), _)) => read(&request, &received, batch, secrets),
            Either::Left((Err(error), _)) if is_surely_unsent(&error) => {
                Ok(Answer::new(Verdict::Retry).with_error(error))
            }
            Either::Left((Err(error), _)) => Err(error.to_string()),
            Either::Right(_) => Err(no_answer_within(limit)),
        };
        let answer = match known {
            Ok(answer) => {
                failed = not_sent_after(answer.verdict());
                answer
            }
            Err(why) => {
                failed = not_sent_after(Verdict::Retry);
                unknown(&request, batch, &why)
            }
        };
        answers.add_each(request.events.iter().copied(), &answer);
    }
}

pub(crate) fn no_answer_within(limit: Duration) -> String {
    format!("no answer within {limit:?}")
}

/// The answer to events whose charges were not sent, because another request of the batch had this verdict.
fn not_sent_after(verdict: Verdict) -> Option<Answer> {
    let fails = matches!(verdict, Verdict::Retry | Verdict::Pause(_));
    fails.then(|| Answer::new(verdict).with_error("another request of the batch failed, and its charge was not sent"))
}

/// The answer to charges, or why it is unknown whether they were counted. Only 429 among the failures says that nothing was.
fn read(request: &Outgoing, received: &Received, batch: &Batch, secrets: &[Secret]) -> Result<Answer, String> {
    let answer = answer("its charge", request, received, batch, secrets);
    let is_failure = received.status.is_server_error() || received.status == StatusCode::REQUEST_TIMEOUT;
    // What is cut off may name charges that were refused beside others that were counted.
    let is_half_known = received.is_cut && matches!(received.status.as_u16(), 200..=299 | 400);
    if is_failure || is_half_known {
        let why = answer.error().map(ToString::to_string);
        return Err(why.unwrap_or_else(|| format!("the answer to it, {}, was cut off", received.status)));
    }
    Ok(answer)
}

/// The answer to charges of which it is unknown whether they were counted.
fn unknown(request: &Outgoing, batch: &Batch, why: &str) -> Answer {
    let lost = request.events.iter().enumerate().map(|(item, event)| (item, missing(batch, *event, why)));
    Answer::each(Verdict::Reject, lost)
}

/// The answer to one event whose charge may be missing.
fn missing(batch: &Batch, event: usize, why: &str) -> Answer {
    let problem = format!("Mixpanel has it, but its charge may be missing, and is not sent again: {why}");
    Answer::new(Verdict::Reject).with_error(EventError::new(message_id(batch, event), problem))
}
