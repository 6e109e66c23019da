//! The answer to a request: 200 once every event has its place.
//!
//! | status | when | what SDKs do |
//! |---|---|---|
//! | 200 | each event is safe, or dropped on purpose, or named as rejected | forget it |
//! | 400 | nothing in it can ever be taken | forget it |
//! | 401, 403 | the key, or the page's origin, is known to be wrong | forget it |
//! | 429 | something is to come again: the source's limit, a full or failing disk | keep it |
//! | 503 | this process ends | keep it |

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use http::{StatusCode, header};
use tracklane::segment::rules::{Endpoint, Rule};
use tracklane::{DropReason, Outcome, RefusalReason, Settlement};
use tracklane_axum::RequestContext;
use tracklane_ingest::{Answer, Rejection, Request};
use tracklane_spool::DeadLetter;

use crate::assemble::{Around, Unfit};
use crate::config::IpPolicy;
use crate::detach::DetachOnDrop;
use crate::sources::{Source, SourceCounts};
use crate::state::State;

/// Seconds that a client is to wait while there is no room, at least and at most, so that not all come at once.
const NO_ROOM: std::ops::Range<u64> = 5..20;
/// While the process ends, another one may be there at once.
const ENDING: Duration = Duration::from_secs(1);

/// Decides about one request.
pub(crate) async fn receive(state: Arc<State>, request: Request) -> Result<Answer, Infallible> {
    let bytes = request.head.wire_bytes;
    let answer = decide(&state, request).await;
    state.requests.answered(answer.status(), bytes);
    Ok(answer)
}

async fn decide(state: &Arc<State>, request: Request) -> Answer {
    if state.is_ending() {
        return ending();
    }
    if request.head.endpoint == Some(Endpoint::Metrics) {
        // Figures of SDKs about themselves. They have no key, and are not events.
        return Answer::accepted();
    }
    let live = state.live();
    let Some(source) = live.sources.get(request.key.as_deref()) else {
        let message = match request.key {
            Some(_) => "no source has this write key",
            None => "the request has no write key",
        };
        return Answer::error(StatusCode::UNAUTHORIZED, "invalid_write_key", message);
    };
    let origin = request.head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if !source.allows(origin) {
        return Answer::error(
            StatusCode::FORBIDDEN,
            "origin_not_allowed",
            "this source takes no events from this page",
        );
    }
    let count = request.events.len();
    SourceCounts::add(&source.counts.received, count);
    if let Some(finding) = request.findings.iter().find(|finding| finding.rule == Rule::MalformedJson.name()) {
        return Answer::error(StatusCode::BAD_REQUEST, "invalid_request", finding.message.clone());
    }
    if let Err(wait) = source.take(count) {
        SourceCounts::add(&source.counts.refused, count);
        return Answer::come_again(wait, "this source sends more events than its limit");
    }
    let (state, source) = (Arc::clone(state), Arc::clone(source));
    drop(live);
    let address = address(source.ip);
    // What was begun is counted to its end, also if the client goes away.
    let answer = DetachOnDrop::new(async move {
        let answer = async {
            let taken = take(&source, &request, SystemTime::now(), address).await;
            taken.answer(&state, &source, &request).await
        };
        AssertUnwindSafe(answer).catch_unwind().await
    });
    answer.await.unwrap_or_else(|_| Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed"))
}

fn ending() -> Answer {
    let message = "this instance ends; another one takes the events";
    Answer::error(StatusCode::SERVICE_UNAVAILABLE, "ending", message).retry_after(ENDING)
}

/// The fates of the events of a request.
#[derive(Debug, Default)]
struct Taken {
    safe: usize,
    dropped: usize,
    rejected: Vec<(usize, Unfit)>,
    refused: usize,
}

/// The fate of an event.
enum Fate {
    Safe,
    /// A plugin dropped it on purpose, or no destination is to have it.
    Dropped,
    /// It will never be taken.
    Rejected(Unfit),
    /// It may be taken later.
    Refused,
}

/// Hands every event over, and waits until each has its place.
async fn take(source: &Source, request: &Request, received_at: SystemTime, address: Option<IpAddr>) -> Taken {
    let around = Around::new(request, received_at, source.ip, address);
    let mut taken = Taken::default();
    let mut receipts = Vec::with_capacity(request.events.len());
    for (index, sent) in request.events.iter().enumerate() {
        let event = match around.event(sent, index) {
            Ok(event) => event,
            Err(unfit) => {
                taken.rejected.push((index, unfit));
                continue;
            }
        };
        match source.pipeline.send(event) {
            Ok(receipt) => receipts.push((index, receipt)),
            Err(refused) if refused.is_invalid() => {
                let rule = match refused.reason() {
                    RefusalReason::Invalid(tracklane::event::InvalidField::TooLarge { .. }) => {
                        Rule::EventTooLarge.name()
                    }
                    _ => "invalid-event",
                };
                taken.rejected.push((index, Unfit { rule, message: refused.to_string() }));
            }
            Err(_) => taken.refused += 1,
        }
    }
    // The last one first: it is settled after the others, so this task is woken once and not for each.
    for (index, receipt) in receipts.into_iter().rev() {
        match fate(&receipt.await) {
            Fate::Safe => taken.safe += 1,
            Fate::Dropped => taken.dropped += 1,
            Fate::Rejected(unfit) => taken.rejected.push((index, unfit)),
            Fate::Refused => taken.refused += 1,
        }
    }
    taken.rejected.sort_by_key(|(index, _)| *index);
    taken
}

/// An event is safe when it is on the disk of every destination that should get it.
fn fate(settlement: &Settlement) -> Fate {
    let at_destinations = settlement.destinations.iter().map(|destination| destination.outcome);
    let lost = at_destinations.chain([settlement.outcome]).filter(|outcome| outcome.is_failed());
    let reasons: Vec<DropReason> = lost
        .filter_map(|outcome| match outcome {
            Outcome::Dropped(reason) => Some(reason),
            Outcome::Delivered => None,
        })
        .collect();
    let Some(first) = reasons.first() else {
        return if settlement.is_delivered() { Fate::Safe } else { Fate::Dropped };
    };
    if reasons.iter().all(|reason| is_final(*reason)) {
        let message = format!("a plugin did not pass it on ({first})");
        return Fate::Rejected(Unfit { rule: first.as_str(), message });
    }
    Fate::Refused
}

/// Returns whether the event would end the same way if it came again.
fn is_final(reason: DropReason) -> bool {
    use DropReason::{BeforeFailed, Invalid, Middleware, TooLarge};
    matches!(reason, BeforeFailed | Invalid | Middleware | TooLarge)
}

/// Returns the address of the sender, from the layer around the router; `None` if the policy needs none.
fn address(policy: IpPolicy) -> Option<IpAddr> {
    if matches!(policy, IpPolicy::Keep | IpPolicy::Remove) {
        return None;
    }
    RequestContext::current()?.ip()
}

impl Taken {
    async fn answer(self, state: &State, source: &Source, request: &Request) -> Answer {
        let counts = &source.counts;
        SourceCounts::add(&counts.accepted, self.safe + self.dropped);
        SourceCounts::add(&counts.dropped, self.dropped);
        SourceCounts::add(&counts.rejected, self.rejected.len());
        SourceCounts::add(&counts.refused, self.refused);
        if !self.rejected.is_empty() {
            source.rejects.keep(self.letters(request)).await;
        }
        if self.refused > 0 && state.is_ending() {
            return ending();
        }
        if self.refused > 0 {
            let wait = Duration::from_secs(fastrand::u64(NO_ROOM));
            return Answer::come_again(wait, "there is no room for the events now");
        }
        let nothing_taken = self.safe + self.dropped == 0;
        let rejected: Vec<Rejection> = self.rejected.into_iter().map(rejection).collect();
        match rejected.first().filter(|_| nothing_taken) {
            Some(first) => {
                let message = first.message.clone();
                Answer::error(StatusCode::BAD_REQUEST, "invalid_request", message).with_rejections(rejected)
            }
            None => Answer::accepted_without(rejected),
        }
    }

    fn letters(&self, request: &Request) -> Vec<DeadLetter> {
        let letter = |(index, unfit): &(usize, Unfit)| {
            DeadLetter::new(&request.events.get(*index)?.raw, unfit.rule, Some(unfit.message.clone()))
        };
        self.rejected.iter().filter_map(letter).collect()
    }
}

fn rejection((index, unfit): (usize, Unfit)) -> Rejection {
    Rejection { index, rule: unfit.rule, message: unfit.message }
}
