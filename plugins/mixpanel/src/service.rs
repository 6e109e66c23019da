//! The service: one batch, a request to each endpoint that has items, an answer for each event.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{Answers, Items, Json, Limits, Outgoing, Secret, map_batch, send_in_turn};

use crate::answer::answer;
use crate::charges::{self, Charge};
use crate::endpoints::{Endpoints, payload};
use crate::mapping::{Mapping, Turn};

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
    pub(crate) timeout: Duration,
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
        Box::pin(async move { Ok(shared.send(endpoints, batch).await) })
    }
}

impl Shared {
    async fn send(&self, endpoints: Endpoints, batch: Batch) -> Answer {
        let mut answers = Answers::new(batch.len());
        let items = self.items(&batch, &mut answers);
        let mut requests = Vec::new();
        for (turn, items) in [(Turn::Users, &items.users), (Turn::Groups, &items.groups), (Turn::Events, &items.events)]
        {
            requests.extend(self.requests(turn, items, &endpoints, &batch, &mut answers));
        }
        let sent = send_in_turn(&batch, requests, &mut answers, |request, received| {
            answer("it", request, received, &batch, &self.secrets)
        });
        let deadline = pin!(async { batch.timer().sleep(self.timeout).await });
        if let Either::Right(_) = select(pin!(sent), deadline).await {
            return Answer::new(Verdict::Retry).with_error(charges::no_answer_within(self.timeout));
        }
        if !items.charges.is_empty() {
            self.charge(items.charges, endpoints, &batch, &mut answers).await;
        }
        answers.finish()
    }

    /// Sends the charges of the events that Mixpanel has.
    async fn charge(&self, charges: Vec<Charge>, endpoints: Endpoints, batch: &Batch, answers: &mut Answers) {
        let mut items = Items::default();
        for (event, charge) in charges::ready(charges, batch, answers) {
            items.push(event, &charge.into());
        }
        let requests = self.requests(Turn::Charges, &items, &endpoints, batch, answers);
        charges::send(batch, requests, self.timeout, answers, &self.secrets).await;
    }

    /// The items of a batch; the events of which nothing is sent are answered.
    fn items(&self, batch: &Batch, answers: &mut Answers) -> ByTurn {
        let mut by_turn = ByTurn::default();
        map_batch(batch, answers, |event, json, message, _| match self.mapping.map_event {
            None => self.mapping.parts(json).map(|part| {
                by_turn.push(part.turn(), event, part.with_token(&self.token));
            }),
            Some(_) => self.mapping.apply(json, || message.event()).map(|item| {
                by_turn.push(item.turn(), event, item.with_token(&self.token).into());
            }),
        });
        by_turn
    }

    /// The requests with these items. A dry run only logs them.
    fn requests(
        &self,
        turn: Turn,
        items: &Items,
        endpoints: &Endpoints,
        batch: &Batch,
        answers: &mut Answers,
    ) -> Vec<Outgoing> {
        let requests = items.requests(batch, endpoints.of(turn), limits(turn), answers, payload);
        if self.dry_run {
            for request in requests {
                let shown = request.shown(&self.secrets);
                tracing::info!(target: "tracklane_mixpanel", "dry run, not sent: {shown}");
            }
            return Vec::new();
        }
        let gzip = self.gzip && turn == Turn::Events;
        requests.into_iter().map(|request| request.gzip(gzip)).collect()
    }
}

/// The items of a batch.
#[derive(Default)]
struct ByTurn {
    users: Items,
    groups: Items,
    events: Items,
    /// Which of them are sent is known when all else was.
    charges: Vec<Charge>,
}

impl ByTurn {
    fn push(&mut self, turn: Turn, event: usize, item: Json<'_>) {
        match turn {
            Turn::Users => self.users.push(event, &item),
            Turn::Groups => self.groups.push(event, &item),
            Turn::Events => self.events.push(event, &item),
            Turn::Charges => self.charges.push((event, item.into())),
        }
    }
}

/// Limits of Mixpanel's documentation: 2,000 items, 10 MB of events before compression (an older error says 2 MiB), 1
/// MB of profiles. Here each is slightly smaller.
fn limits(turn: Turn) -> Limits {
    match turn {
        Turn::Events => Limits::new(2_000, 1_500_000).frame(2),
        Turn::Users | Turn::Groups | Turn::Charges => Limits::new(2_000, 900_000).frame(2),
    }
}
