//! The pipeline as a tower service, for callers that drive it themselves.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use tower::ServiceExt;
use tower::util::Oneshot;
use tower_service::Service;

use super::client::Client;
use super::stack::{Exit, PluginStack, StackRequest};
use crate::error::BoxError;
use crate::event::Event;
use crate::ledger::Envelope;
use crate::refusal::CallError;
use crate::supervise::hops::WithHops;

/// The pipeline as a tower service: before plugins, enrichment plugins, fan-out to the destinations.
///
/// A gateway or a test drives it itself. [`track`](crate::Analytics::track) and its siblings go through a queue in
/// front of it. The future ends when the destinations' lanes have the event, or when the event was dropped on the way.
/// These events are checked, counted and bounded like any others. The service is ready once the plugins of the settings
/// have loaded or failed.
pub struct Pipeline {
    client: Arc<Client>,
    loading: Option<BoxFuture<'static, ()>>,
}

impl Pipeline {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self { client, loading: None }
    }
}

impl Service<Event> for Pipeline {
    type Response = ();
    type Error = BoxError;
    type Future = PipelineFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // A forked process loads nothing, and refuses the call.
        if *self.client.loaded.borrow() || self.client.background.is_forked() {
            return Poll::Ready(Ok(()));
        }
        let mut loaded = self.client.loaded.subscribe();
        let background = self.client.background.clone();
        let loading = self.loading.get_or_insert_with(|| {
            Box::pin(async move {
                // The sender lives as long as the pipeline.
                background.run(async { drop(loaded.wait_for(|loaded| *loaded).await) }).await;
            })
        });
        ready!(loading.as_mut().poll(cx));
        self.loading = None;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut event: Event) -> PipelineFuture {
        // An event from a layer of this client brings its ticket. A ticket of another client is settled there.
        let ticket = Exit::take_ticket(&mut event);
        let envelope = match ticket.filter(|ticket| ticket.is_of(&self.client.ledger)) {
            Some(ticket) => Ok(Envelope::new(event, ticket)),
            None => self.client.intake.admit(event),
        };
        PipelineFuture(match envelope {
            Ok(envelope) => {
                let depth = envelope.ticket.depth();
                let stack = self.client.stack.stack().0.without_source_middleware();
                let passing = WithHops::follow(depth, stack.oneshot(StackRequest::alone(envelope)));
                Progress::Running(self.client.clone(), passing)
            }
            Err(refused) => Progress::Refused(Some(refused)),
        })
    }
}

impl Clone for Pipeline {
    fn clone(&self) -> Self {
        // Readiness belongs to one instance.
        Self { client: self.client.clone(), loading: None }
    }
}

/// The future of [`Pipeline`].
#[must_use = "futures do nothing unless polled"]
pub struct PipelineFuture(Progress);

enum Progress {
    /// Timeouts need a runtime, and the caller may have none.
    Running(Arc<Client>, WithHops<Oneshot<PluginStack, StackRequest>>),
    Refused(Option<CallError>),
}

impl Future for PipelineFuture {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Progress::Running(client, passing) => {
                client.background.enter(|| Pin::new(passing).poll(cx)).map_err(Into::into)
            }
            Progress::Refused(refused) => Poll::Ready(refused.take().map_or(Ok(()), |refused| Err(refused.into()))),
        }
    }
}

impl fmt::Debug for PipelineFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineFuture").finish_non_exhaustive()
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
