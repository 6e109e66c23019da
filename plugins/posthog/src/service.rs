//! The service: one batch, a request or several, an answer for each event.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::HeaderValue;
use serde_json::Value;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::event::Timestamp;
use tracklane::plugin::{Answer, Batch};
use tracklane_http::{Answers, Client, Items, Limits, Outgoing, Payload, Secret, map_batch, send_in_turn};

use crate::answer::verdict;
use crate::mapping::{Mapping, is_historical};

/// Bytes of a body that are not its events and not the key.
const FRAME: usize = 128;

#[derive(Clone)]
pub(crate) struct PostHogService {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) key: Secret,
    pub(crate) mapping: Mapping,
    pub(crate) gzip: bool,
    pub(crate) historical: bool,
    pub(crate) dry_run: bool,
    pub(crate) max_body_bytes: usize,
    /// Secrets that a server may repeat, to be removed from errors.
    pub(crate) secrets: Vec<Secret>,
}

impl Service<Batch> for PostHogService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (client, shared) = (self.client.clone(), self.shared.clone());
        Box::pin(async move {
            let mut answers = Answers::new(batch.len());
            let requests = shared.requests(&client, &batch, &mut answers);
            let now = batch.timer().now();
            send_in_turn(&batch, requests, &mut answers, |request, received| {
                received.answer_with(verdict(received, now), request.client.endpoint(), &shared.secrets)
            })
            .await;
            Ok(answers.finish())
        })
    }
}

impl Shared {
    /// The requests for a batch; the events of which nothing is sent are answered.
    fn requests(&self, client: &Client, batch: &Batch, answers: &mut Answers) -> Vec<Outgoing> {
        let (mut live, mut old) = (Items::default(), Items::default());
        map_batch(batch, answers, |event, json, message, _| {
            self.mapping.apply(json, || message.event()).map(|item| {
                let is_old = self.historical && is_historical(&item, batch.sent_at());
                if is_old { &mut old } else { &mut live }.push(event, &item);
            })
        });
        let limits = Limits::new(usize::MAX, self.max_body_bytes).frame(FRAME + self.key.expose().len());
        let mut requests = Vec::new();
        for (items, historical) in [(live, false), (old, true)] {
            let payload = |items: &[&[u8]]| body(&self.key, batch.sent_at(), historical, items);
            requests.extend(items.requests(batch, client, limits, answers, payload));
        }
        if self.dry_run {
            for request in requests.drain(..) {
                let shown = request.shown([&self.key]);
                tracing::info!(target: "tracklane_posthog", "dry run, not sent: {shown}");
            }
        }
        requests.into_iter().map(|request| request.gzip(self.gzip)).collect()
    }
}

/// The body of a request: `sent_at` is the time of the attempt, by which PostHog corrects the clock of the events.
pub(crate) fn body(key: &Secret, sent_at: SystemTime, historical: bool, items: &[impl AsRef<[u8]>]) -> Payload {
    let mut body = Vec::with_capacity(items.iter().map(|item| item.as_ref().len() + 1).sum::<usize>() + FRAME);
    body.extend_from_slice(b"{\"api_key\":");
    body.extend_from_slice(Value::from(key.expose()).to_string().as_bytes());
    if historical {
        body.extend_from_slice(b",\"historical_migration\":true");
    }
    body.extend_from_slice(format!(",\"sent_at\":\"{}\",\"batch\":[", Timestamp::from(sent_at)).as_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(item.as_ref());
    }
    body.extend_from_slice(b"]}");
    Payload::new(HeaderValue::from_static("application/json"), body)
}
