//! Several requests for one batch, in turn.

use http::HeaderMap;
use tracklane::plugin::{Answer, Batch, Verdict};

use crate::{Answers, Client, Payload, Received, Secret, ShownRequest};

/// A request with some items of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// Where it goes, and with which headers.
    pub client: Client,
    /// Its body.
    pub payload: Payload,
    /// Of each item in it, in order: the index of its event in the batch.
    pub events: Vec<usize>,
}

impl Outgoing {
    /// A request to `client`'s endpoint whose items are of these events.
    pub fn new(client: &Client, payload: Payload, events: Vec<usize>) -> Self {
        Self { client: client.clone(), payload, events }
    }

    /// The same, compressed if `gzip` says so.
    #[must_use]
    pub fn gzip(self, gzip: bool) -> Self {
        if gzip { Self { payload: self.payload.gzip(), ..self } } else { self }
    }

    /// The request without what is secret, as long as it is not compressed.
    #[must_use]
    pub fn shown<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> ShownRequest {
        ShownRequest::new(&self.client, &self.payload, secrets)
    }
}

/// Sends requests in turn until the server fails, and adds to `answers` what `read` says of each: an answer to its items,
/// which may have one of their own ([`Answer::each`]). What was not sent then comes again with what failed.
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
        answers.add_each(&request.events, &answer);
        if ends_the_turn(answer.verdict()) {
            failed = Some(answer);
        }
    }
}

/// Returns whether the next request would fare no better.
fn ends_the_turn(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Retry | Verdict::Pause(_) | Verdict::Unauthorized)
}
