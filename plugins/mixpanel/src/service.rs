//! The service: one batch, a request to each endpoint that has items, an answer for each event.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch};
use tracklane_http::{Answers, Items, Limits, Outgoing, Secret, map_batch, send_in_turn};

use crate::answer::answer;
use crate::endpoints::{Endpoints, payload};
use crate::mapping::{Mapping, Target};

#[derive(Clone)]
pub(crate) struct MixpanelService {
    pub(crate) endpoints: Endpoints,
    pub(crate) shared: Arc<Shared>,
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) token: Secret,
    pub(crate) mapping: Mapping,
    pub(crate) gzip: bool,
    pub(crate) dry_run: bool,
    /// Secrets that a server may repeat, to be removed from errors.
    pub(crate) secrets: Vec<Secret>,
}

impl Service<Batch> for MixpanelService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (endpoints, shared) = (self.endpoints.clone(), self.shared.clone());
        Box::pin(async move {
            let mut answers = Answers::new(batch.len());
            let requests = shared.requests(&endpoints, &batch, &mut answers);
            send_in_turn(&batch, requests, &mut answers, |request, received| {
                answer(request, received, &batch, &shared.secrets)
            })
            .await;
            Ok(answers.finish())
        })
    }
}

impl Shared {
    /// The requests for a batch; the events of which nothing is sent are answered.
    fn requests(&self, endpoints: &Endpoints, batch: &Batch, answers: &mut Answers) -> Vec<Outgoing> {
        let mut by_target = ByTarget::default();
        map_batch(batch, answers, |event, json, message, _| match self.mapping.map_event {
            None => self.mapping.parts(json).map(|part| {
                by_target.of(part.target).push(event, &part.with_token(&self.token));
            }),
            Some(_) => self.mapping.apply(json, || message.event()).map(|item| {
                by_target.of(item.target).push(event, &item.with_token(&self.token).into());
            }),
        });
        let mut requests = Vec::new();
        for target in Target::ALL {
            let gzip = self.gzip && *target == Target::Import;
            let (items, endpoint) = (by_target.of(*target), endpoints.of(*target));
            for request in items.requests(batch, endpoint, limits(*target), answers, payload) {
                if self.dry_run {
                    let shown = request.shown(&self.secrets);
                    tracing::info!(target: "tracklane_mixpanel", "dry run, not sent: {shown}");
                } else {
                    requests.push(request.gzip(gzip));
                }
            }
        }
        requests
    }
}

/// Items for each endpoint.
#[derive(Default)]
struct ByTarget {
    import: Items,
    engage: Items,
    groups: Items,
}

impl ByTarget {
    fn of(&mut self, target: Target) -> &mut Items {
        match target {
            Target::Import => &mut self.import,
            Target::Engage => &mut self.engage,
            Target::Groups => &mut self.groups,
        }
    }
}

/// Limits of Mixpanel's documentation: 2,000 items, 10 MB of events before compression (an older error says 2 MiB), 1
/// MB of profiles. Here each is slightly smaller.
fn limits(target: Target) -> Limits {
    match target {
        Target::Import => Limits::new(2_000, 1_500_000).frame(2),
        Target::Engage | Target::Groups => Limits::new(2_000, 900_000).frame(2),
    }
}
