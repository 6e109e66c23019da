//! The service: one batch, a request for each person in it, an answer for each event.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use http::HeaderMap;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{
    Answers, Client, Endpoint, EventError, Mapped, Received, Secret, ShownRequest, is_surely_unsent, map_batch,
    message_id,
};

use crate::hits::{self, Hits, Together};
use crate::mapping::Mapping;

#[derive(Clone)]
pub(crate) struct Ga4Service {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) mapping: Mapping,
    pub(crate) timeout: Duration,
    pub(crate) retry_unknown: bool,
    pub(crate) dry_run: bool,
    /// Secrets that a server may repeat, to be removed from errors.
    pub(crate) secrets: Vec<Secret>,
}

impl Service<Batch> for Ga4Service {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (client, shared) = (self.client.clone(), self.shared.clone());
        Box::pin(async move { Ok(shared.send(client, batch).await) })
    }
}

impl Shared {
    async fn send(&self, client: Client, batch: Batch) -> Answer {
        let mut answers = Answers::new(batch.len());
        let hits = self.hits(&batch, &mut answers);
        let mut failed: Option<Answer> = None;
        let endpoint = client.endpoint().clone();
        for request in hits::together(&hits) {
            if let Some(failed) = &failed {
                answers.add(request.events(), failed);
                continue;
            }
            let payload = hits::payload(&request.hits);
            let answer = if self.dry_run {
                let shown = ShownRequest::new(&client, &payload, &self.secrets);
                tracing::info!(target: "tracklane_ga4", "dry run, not sent: {shown}");
                Verdict::Delivered.into()
            } else {
                // While this waits, the client is not borrowed: it cannot be shared between threads.
                let sent = client.send(&batch, payload, HeaderMap::new());
                self.answer_to(sent, &endpoint, &batch, &request).await
            };
            answers.add_each(request.events(), &answer);
            if matches!(answer.verdict(), Verdict::Retry | Verdict::Pause(_)) {
                failed =
                    Some(Answer::new(answer.verdict()).with_error("the request before it failed, and it was not sent"));
            }
        }
        answers.finish()
    }

    /// The hits of a batch; the events of which nothing is sent are answered.
    fn hits(&self, batch: &Batch, answers: &mut Answers) -> Hits {
        let mut hits = Hits::with_capacity(batch.len());
        map_batch(batch, answers, |event, json, message, answers| {
            let mut check = |written: Result<bool, serde_json::Error>| {
                let error: BoxError = match written {
                    Ok(true) => return,
                    Ok(false) => {
                        EventError::new(message.message_id(), "it is larger than the 130 kB of a request").into()
                    }
                    Err(error) => error.into(),
                };
                answers.add([event], &Answer::new(Verdict::Reject).with_error(error));
            };
            if self.mapping.map_event.is_some() {
                let mapped = self.mapping.apply(json, || message.event());
                return mapped.map(|hit| check(hits.push_hit(event, &hit)));
            }
            match self.mapping.hit(json) {
                Ok(parts) => {
                    check(Ok(hits.push_parts(event, &parts)));
                    Mapped::Items(Vec::new())
                }
                Err(mapped) => mapped.map(drop),
            }
        });
        hits
    }

    /// Waits for the answer to a request, as long as the timeout allows.
    async fn answer_to(
        &self,
        sent: impl Future<Output = Result<Received, BoxError>>,
        endpoint: &Endpoint,
        batch: &Batch,
        request: &Together<'_>,
    ) -> Answer {
        let sent = pin!(sent);
        // It begins when the answer is waited for. One that is there at once costs no timer.
        let deadline = pin!(async { batch.timer().sleep(self.timeout).await });
        match select(sent, deadline).await {
            Either::Left((Ok(received), _)) => received.answer(endpoint, &self.secrets, batch.timer().now()),
            Either::Left((Err(error), _)) if is_surely_unsent(&error) => Answer::new(Verdict::Retry).with_error(error),
            Either::Left((Err(error), _)) => self.unknown(request, batch, error.to_string()),
            Either::Right(_) => self.unknown(request, batch, format!("no answer within {:?}", self.timeout)),
        }
    }

    /// Returns the answer to a request if it is unknown whether Google has counted it. Google de-duplicates purchases
    /// and refunds by their `transaction_id`, and nothing else.
    fn unknown(&self, request: &Together<'_>, batch: &Batch, why: String) -> Answer {
        let again = Answer::new(Verdict::Retry).with_error(why.clone());
        let hits = request.hits.iter().enumerate();
        let once = hits.filter(|(_, (_, hit))| !self.retry_unknown && !hit.is_deduplicated);
        let lost = once.map(|(item, (event, _))| {
            let id = message_id(batch, *event);
            let problem = format!("{why}; Google may have counted it, so it is not sent again");
            (item, Answer::new(Verdict::Reject).with_error(EventError::new(id, problem)))
        });
        Answer::each(again, lost.collect::<Vec<_>>())
    }
}
