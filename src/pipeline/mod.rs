//! The way through: from the call to the end of every event.
//!
//! ```text
//!  caller              background
//!  ──────              ──────────────────────────────────────────────────────────────────────────
//!  call ─check─▶ intake ─▶ worker ─▶ [source middleware] ─▶ before ─▶ enrichment ─▶ fan-out ─▶ lane ─▶ service
//!                                                                                    (one per destination)
//!                                              ledger, callbacks, after plugins, signals ◀─ settle
//! ```
//!
//! Read the files in the order of the modules below. Always: an event that was accepted carries a ticket and ends in
//! one counted outcome; a plugin's panic, error or hang stays where it is called ([`supervise`](crate::supervise));
//! destinations share nothing but the finished event. The pipeline knows no destination by name, and nothing of HTTP.

mod call_context;
mod client;
mod ending;
mod intake;
mod rest;
mod worker;

mod plan;
mod registry;
mod transform;

mod fanout;
mod lane;
mod leftover;
mod settle;

#[cfg(test)]
mod measured;
mod service;
mod shutdown;
#[cfg(test)]
mod wakes;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tower_layer::Layer;
use tower_service::Service;

pub(crate) use call_context::CallContext;
pub(crate) use client::{HostClient, deadline};
pub(crate) use intake::{Capacity, Intake};
pub(crate) use plan::{CurrentPlan, Passage};
pub(crate) use registry::Command;
pub(crate) use service::MiddlewareLayer;
pub use service::PipelineService;
pub(crate) use settle::{AfterQueue, AfterWorker};
pub use shutdown::CloseReport;
pub(crate) use shutdown::End;
pub(crate) use worker::{SourceMiddleware, Worker};

use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::error::BoxError;
use crate::event::{Context, Event};
use crate::ledger::{Dispatcher, DropReason, Ledger};
use crate::plugin::Host;
pub(crate) use crate::refusal::{CallError, RegisterError};
use crate::supervise::Watchdog;
use crate::supervise::hops::{self, WithHops};
use crate::wait_group::WaitGroup;
use fanout::{FanOut, FanOutFuture};
use transform::{Stage, StageFuture, StageLayer};

/// What all parts of one client's pipeline share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) background: Background,
    pub(crate) emitter: Emitter,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) intake: Intake,
    pub(crate) plan: CurrentPlan,
    pub(crate) defaults: Context,
    pub(crate) after: Arc<AfterQueue>,
    /// Plugins that were deregistered, until they are unloaded.
    pub(crate) unloading: WaitGroup,
    pub(crate) end: End,
    pub(crate) host: Host,
    pub(crate) watchdog: Watchdog,
    /// Whether the plugins of the settings have loaded or failed.
    pub(crate) loaded: watch::Sender<bool>,
    /// If the counts are to be metrics: what these know so far.
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<crate::metrics::Reported>,
}

impl Dispatcher for Shared {
    fn dispatch(&self, seen: u64) {
        self.intake.dispatch(seen);
    }
}

/// The event went no further: why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event was dropped: {reason}")]
#[non_exhaustive]
pub struct Stopped {
    /// As it is counted.
    pub reason: DropReason,
}

/// The whole way as a tower service: before, enrichment, fan-out to the destinations.
///
/// For a gateway or a test that drives it by hand; [`track`](crate::Analytics::track) and its siblings go through a
/// queue in front of it. Its future ends when the event is with the destinations' lanes, or was dropped on the way.
/// Events that come this way are checked, counted and bounded like any other. It is ready when the plugins of the
/// settings have loaded or failed.
pub struct Pipeline {
    shared: Arc<Shared>,
    stages: Stage<Stage<FanOut>>,
    loading: Option<BoxFuture<'static, ()>>,
}

impl Pipeline {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let stages = StageLayer::Before.layer(StageLayer::Enrichment.layer(FanOut));
        Self { shared, stages, loading: None }
    }

    /// Sends an event on its way that carries a ticket already.
    fn enter(&mut self, event: Event) -> StagesFuture {
        let (shared, plan, depth) = (self.shared.clone(), self.shared.plan.load(), event.depth());
        let _scope = hops::after(depth);
        WithHops::after(depth, self.stages.call(Passage { event, plan, shared }))
    }
}

impl Service<Event> for Pipeline {
    type Response = ();
    type Error = BoxError;
    type Future = PipelineFuture;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        // In a forked process nothing loads, and the call is refused.
        if *self.shared.loaded.borrow() || self.shared.background.is_forked() {
            return Poll::Ready(Ok(()));
        }
        let mut loaded = self.shared.loaded.subscribe();
        let loading = self.loading.get_or_insert_with(|| {
            Box::pin(async move {
                // The sender lives as long as the pipeline.
                let _ = loaded.wait_for(|loaded| *loaded).await;
            })
        });
        ready!(loading.as_mut().poll(cx));
        self.loading = None;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: Event) -> PipelineFuture {
        if event.attached.ticket.is_some() {
            return PipelineFuture(Entered::OnItsWay(self.enter(event)));
        }
        PipelineFuture(match self.shared.intake.admit(event) {
            Ok(event) => Entered::OnItsWay(self.enter(event)),
            Err(refused) => Entered::Refused(Some(refused)),
        })
    }
}

impl Clone for Pipeline {
    fn clone(&self) -> Self {
        // Readiness belongs to an instance.
        Self { shared: self.shared.clone(), stages: self.stages.clone(), loading: None }
    }
}

/// The future of [`Pipeline`].
#[must_use = "futures do nothing unless polled"]
pub struct PipelineFuture(Entered);

enum Entered {
    OnItsWay(StagesFuture),
    Refused(Option<CallError>),
}

type StagesFuture = WithHops<StageFuture<StageFuture<FanOutFuture>>>;

impl Future for PipelineFuture {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Entered::OnItsWay(stages) => Pin::new(stages).poll(cx).map_err(Into::into),
            Entered::Refused(refused) => Poll::Ready(refused.take().map_or(Ok(()), |refused| Err(refused.into()))),
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
