//! Several requests for one batch, in turn.

use http::HeaderMap;
use tracklane::plugin::{Answer, Batch, Verdict};

use crate::{Answers, Client, Payload, Received, Secret, ShownRequest};

/// A request with some items of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The client that sends it, with its headers.
    pub client: Client,
    /// Its body.
    pub payload: Payload,
    /// The index of the event in the batch, for each item in order.
    pub events: Vec<usize>,
}

impl Outgoing {
    /// A request to `client`'s endpoint whose items are of these events.
    pub fn new(client: &Client, payload: Payload, events: Vec<usize>) -> Self {
        Self { client: client.clone(), payload, events }
    }

    /// Compresses the body if `gzip` is set.
    #[must_use]
    pub fn gzip(self, gzip: bool) -> Self {
        if gzip { Self { payload: self.payload.gzip(), ..self } } else { self }
    }

    /// Returns the request without secrets, if it is not compressed.
    #[must_use]
    pub fn shown<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> ShownRequest {
        ShownRequest::new(&self.client, &self.payload, secrets)
    }
}

/// Sends requests in turn until the server fails. `read` returns the answer to the items of each, which may have their
/// own ([`Answer::each`]). These go into `answers`. Requests that were not sent are tried again together with the
/// failed one.
pub async fn send_in_turn(
    batch: &Batch,
    requests: Vec<Outgoing>,
    answers: &mut Answers,
    read: impl Fn(&Outgoing, &Received) -> Answer,
) {
    let mut failed: Option<Answer> = None;
    for request in requests {
        if let Some(failed) = &failed {
            answers.add(request.events.iter().copied(), failed);
            continue;
        }
        let sent = request.client.send(batch, request.payload.clone(), HeaderMap::new()).await;
        let answer = match sent {
            Ok(received) => read(&request, &received),
            Err(error) => Answer::new(Verdict::Retry).with_error(error),
        };
        answers.add_each(request.events.iter().copied(), &answer);
        if ends_the_turn(answer.verdict()) {
            failed = Some(answer);
        }
    }
}

/// Returns whether the next request would fare no better.
fn ends_the_turn(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Retry | Verdict::Pause(_) | Verdict::Unauthorized)
}
