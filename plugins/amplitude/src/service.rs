//! The service: one batch, a request to each endpoint that has items, an answer for each event.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch};
use tracklane_http::{Answers, Client, Items, Outgoing, Secret, map_batch, send_in_turn};

use crate::answer::answer;
use crate::body;
use crate::mapping::{Mapping, Target};

#[derive(Clone)]
pub(crate) struct AmplitudeService {
    pub(crate) clients: Clients,
    pub(crate) shared: Arc<Shared>,
}

/// A client for each endpoint.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) events: Client,
    pub(crate) user_mapping: Client,
}

impl Clients {
    pub(crate) fn of(&self, target: Target) -> &Client {
        match target {
            Target::Batch => &self.events,
            Target::UserMap => &self.user_mapping,
        }
    }
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) key: Secret,
    pub(crate) mapping: Mapping,
    pub(crate) gzip: bool,
    pub(crate) dry_run: bool,
}

impl Service<Batch> for AmplitudeService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (clients, shared) = (self.clients.clone(), self.shared.clone());
        Box::pin(async move {
            let mut answers = Answers::new(batch.len());
            let requests = shared.requests(&clients, &batch, &mut answers);
            send_in_turn(&batch, requests, &mut answers, |request, received| {
                answer(request, received, &batch, &shared.key)
            })
            .await;
            Ok(answers.finish())
        })
    }
}

impl Shared {
    /// The requests for a batch; the events of which nothing is sent are answered.
    fn requests(&self, clients: &Clients, batch: &Batch, answers: &mut Answers) -> Vec<Outgoing> {
        let mut by_target = ByTarget::default();
        map_batch(batch, answers, |event, json, message, _| match self.mapping.map_event {
            None => self.mapping.parts(json).map(|part| by_target.of(part.target).push(event, &part.body.into())),
            Some(_) => {
                let mapped = self.mapping.apply(json, || message.event());
                mapped.map(|item| by_target.of(item.target).push(event, &item.body.into()))
            }
        });
        let mut requests = Vec::new();
        for target in Target::ALL.iter().copied() {
            let items = by_target.of(target);
            let payload = |items: &[&[u8]]| body::of(target, &self.key, batch.sent_at(), items);
            let limits = body::limits(target, &self.key);
            for request in items.requests(batch, clients.of(target), limits, answers, payload) {
                if self.dry_run {
                    let shown = request.shown([&self.key]);
                    tracing::info!(target: "tracklane_amplitude", "dry run, not sent: {shown}");
                } else {
                    requests.push(request.gzip(self.gzip && target == Target::Batch));
                }
            }
        }
        requests
    }
}

/// Items for each endpoint.
#[derive(Default)]
struct ByTarget {
    events: Items,
    user_mapping: Items,
}

impl ByTarget {
    fn of(&mut self, target: Target) -> &mut Items {
        match target {
            Target::Batch => &mut self.events,
            Target::UserMap => &mut self.user_mapping,
        }
    }
}
