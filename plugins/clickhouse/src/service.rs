//! The service: one batch, one insert or several, an answer for each event.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sha2::{Digest, Sha256};
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch};
use tracklane_http::{Answers, Client, Items, Limits, Outgoing, Payload, Secret, map_batch, message_id, send_in_turn};

use crate::answer::answer;
use crate::row::Rows;

/// Rows and bytes of one insert at most: fewer rows than ClickHouse makes a block of, so that all of it is stored or none.
const LIMITS: Limits = Limits::new(100_000, 50_000_000);

#[derive(Clone)]
pub(crate) struct ClickHouseService {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) rows: Rows,
    pub(crate) has_token: bool,
    pub(crate) gzip: bool,
    pub(crate) dry_run: bool,
    /// The statement of an insert, to be shown.
    pub(crate) statement: String,
    /// Secrets that a server may repeat, to be removed from errors.
    pub(crate) secrets: Vec<Secret>,
}

impl Service<Batch> for ClickHouseService {
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
            let requests = shared.requests(&client, &batch, &mut answers)?;
            drop(client);
            send_in_turn(&batch, requests, &mut answers, |request, received| {
                answer(request, received, &batch, &shared.secrets)
            })
            .await;
            Ok(answers.finish())
        })
    }
}

impl Shared {
    fn requests(&self, client: &Client, batch: &Batch, answers: &mut Answers) -> Result<Vec<Outgoing>, BoxError> {
        let mut items = Items::default();
        map_batch(batch, answers, |event, json, message, _| {
            let rows = self.rows.apply(json, batch.sent_at(), || message.event());
            rows.map(|row| items.push(event, &row))
        });
        let mut requests = Vec::new();
        for mut request in items.requests(batch, client, LIMITS, answers, Payload::ndjson) {
            if self.dry_run {
                let mut shown = request.shown(&self.secrets);
                shown.statement = Some(self.statement.clone());
                tracing::info!(target: "tracklane_clickhouse", "dry run, not sent: {shown}");
                continue;
            }
            if self.has_token {
                let token = token(batch, &request.events);
                let endpoint = client.endpoint().with_query("insert_deduplication_token", &token)?;
                request.client = request.client.at(endpoint);
            }
            requests.push(request.gzip(self.gzip));
        }
        Ok(requests)
    }
}

/// A hash of the ids of the events: the same for the same rows, in every attempt.
fn token(batch: &Batch, events: &[usize]) -> String {
    let mut hash = Sha256::new();
    for event in events {
        let id = message_id(batch, *event);
        // With its length, so that no two lists are the same text.
        hash.update((id.len() as u64).to_be_bytes());
        hash.update(id);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
