//! The before and enrichment stages, each a layer of the tower stack.
//!
//! A stage runs its plugins in order. While they are synchronous, nothing is allocated and nothing awaited; from the
//! first asynchronous one on, the rest of the stage is a boxed future. Before fails closed, enrichment fails open.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower_layer::Layer;
use tower_service::Service;

use super::plan::{AbsentBefore, Registered};
use super::{Passage, Shared, Stopped};
use crate::emitter::signal::Failure;
use crate::event::{Checkpoint, Event, InvalidField};
use crate::ledger::{DropReason, Outcome};
use crate::plugin::{Flow, Runner, SyncTransform, TransformPlugin};
use crate::supervise::{self, EVENT_LIMIT, Fault, Topic, log};

/// Makes a [`Stage`]: which one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StageLayer {
    Before,
    Enrichment,
}

impl<S> Layer<S> for StageLayer {
    type Service = Stage<S>;

    fn layer(&self, inner: S) -> Stage<S> {
        Stage { layer: *self, inner }
    }
}

/// One stage, with the rest of the way behind it.
#[derive(Clone)]
pub(super) struct Stage<S> {
    layer: StageLayer,
    inner: S,
}

impl<S> Service<Passage> for Stage<S>
where
    S: Service<Passage, Response = (), Error = Stopped> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = ();
    type Error = Stopped;
    type Future = StageFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut passage: Passage) -> Self::Future {
        let Passage { event, plan, shared } = &mut passage;
        if self.layer == StageLayer::Before {
            if let Err(invalid) = event.commit() {
                return StageFuture::Stopped(Some(refuse(shared, event, &invalid)));
            }
            if let Some(absent) = plan.missed_before(event.kind()) {
                return StageFuture::Stopped(Some(miss(shared, event, absent)));
            }
        }
        let plugins = self.layer.of(plan);
        let (mut checkpoint, mut worked_off) = (Checkpoint::default(), 0);
        for plugin in plugins {
            if plugin.wants(event.kind()) {
                let Runner::Sync(transform) = &plugin.runner else { break };
                if let Err(stopped) = self.layer.run_sync(shared, plugin, &**transform, event, &mut checkpoint) {
                    shared.emitter.lose(event, stopped.reason);
                    return StageFuture::Stopped(Some(stopped));
                }
            }
            worked_off += 1;
        }
        checkpoint.finish(event);
        drop(checkpoint);
        if worked_off == plugins.len() {
            return StageFuture::Through(self.inner.call(passage));
        }
        // The service that was polled ready goes with the event; a clone takes its place.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        StageFuture::Slow(Box::pin(rest(self.layer, inner, passage, worked_off)))
    }
}

/// The rest of a stage from its first asynchronous plugin on.
async fn rest<S>(layer: StageLayer, mut inner: S, passage: Passage, from: usize) -> Result<(), Stopped>
where
    S: Service<Passage, Response = (), Error = Stopped>,
{
    let Passage { mut event, plan, shared } = passage;
    if let Err(stopped) = run_from(layer, &shared, &plan, &mut event, from).await {
        shared.emitter.lose(&event, stopped.reason);
        return Err(stopped);
    }
    inner.call(Passage { event, plan, shared }).await
}

/// Runs the plugins of a stage from this one on.
async fn run_from(
    layer: StageLayer,
    shared: &Shared,
    plan: &super::plan::Plan,
    event: &mut Event,
    from: usize,
) -> Result<(), Stopped> {
    let mut checkpoint = Checkpoint::default();
    for plugin in layer.of(plan).iter().skip(from) {
        if !plugin.wants(event.kind()) {
            continue;
        }
        match &plugin.runner {
            Runner::Sync(transform) => layer.run_sync(shared, plugin, &**transform, event, &mut checkpoint)?,
            Runner::Async(_) if plugin.is_quarantined() => layer.without(event, &mut checkpoint)?,
            Runner::Async(transform) => {
                checkpoint.save(event);
                let outcome =
                    supervise::run(&plugin.watched, &shared.clock, EVENT_LIMIT, || transform.transform(event)).await;
                checkpoint.accept(event);
                layer.follow(shared, plugin, event, &mut checkpoint, outcome)?;
            }
        }
    }
    checkpoint.finish(event);
    Ok(())
}

impl StageLayer {
    fn of(self, plan: &super::plan::Plan) -> &[Registered<TransformPlugin>] {
        match self {
            StageLayer::Before => &plan.before,
            StageLayer::Enrichment => &plan.enrichment,
        }
    }

    fn run_sync(
        self,
        shared: &Shared,
        plugin: &Registered<TransformPlugin>,
        transform: &SyncTransform,
        event: &mut Event,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_quarantined() {
            return self.without(event, checkpoint);
        }
        checkpoint.save(event);
        let outcome = supervise::call(&plugin.watched, || transform(event));
        checkpoint.accept(event);
        self.follow(shared, plugin, event, checkpoint, outcome)
    }

    /// Does what follows from a plugin's outcome: goes on, takes its changes back, or stops the event.
    fn follow(
        self,
        shared: &Shared,
        plugin: &Registered<TransformPlugin>,
        event: &mut Event,
        checkpoint: &mut Checkpoint,
        outcome: Result<Flow, Fault>,
    ) -> Result<(), Stopped> {
        // What it changed matters only if the event goes on: a drop stays a drop.
        let outcome = outcome.and_then(|flow| match flow {
            Flow::Continue => event.commit().map(|()| flow).map_err(Fault::error),
            Flow::Drop(_) => Ok(flow),
        });
        match outcome {
            Ok(Flow::Continue) => {
                plugin.worked();
                Ok(())
            }
            Ok(Flow::Drop(reason)) => {
                plugin.worked();
                plugin.record.dropped();
                log!(DEBUG, plugin = %plugin.name, %reason, "event dropped by plugin");
                Err(stop(event, checkpoint, DropReason::Plugin))
            }
            Err(fault) => {
                checkpoint.restore(event);
                self.report(shared, plugin, fault);
                self.without(event, checkpoint)
            }
        }
    }

    /// What becomes of an event that a plugin did not work on.
    fn without(self, event: &mut Event, checkpoint: &mut Checkpoint) -> Result<(), Stopped> {
        match self {
            StageLayer::Before => Err(stop(event, checkpoint, DropReason::BeforeFailed)),
            StageLayer::Enrichment => Ok(()),
        }
    }

    #[cold]
    fn report(self, shared: &Shared, plugin: &Registered<TransformPlugin>, fault: Fault) {
        let quarantined = fault.is_crash() && plugin.crashed();
        plugin.record.failed();
        let dropped = (self == StageLayer::Before).then_some(DropReason::BeforeFailed);
        let consequence = match (dropped, quarantined) {
            (Some(_), false) => "the event is dropped",
            (None, false) => "the event goes on without it",
            (Some(_), true) => "it is not called any more, and every event is dropped until it is deregistered",
            (None, true) => "it is not called any more",
        };
        let name = plugin.name.clone();
        shared.emitter.fail_throttled(Topic::Plugin, &plugin.name, (1, quarantined), move |repeats| {
            let message = format!("plugin {fault}; {consequence}{}", repeats.suffix());
            let mut failure = Failure::new(name, message, repeats.events);
            failure.dropped = dropped;
            failure.error = fault.into_error().map(Arc::from);
            failure
        });
    }
}

/// Stops an event that cannot be sent before any plugin sees it. It could when it was called: what came since is a
/// layer's.
#[cold]
fn refuse(shared: &Shared, event: &mut Event, invalid: &InvalidField) -> Stopped {
    let mut failure = Failure::new("tracklane", format!("an event was dropped before its plugins: {invalid}"), 1);
    failure.dropped = Some(DropReason::Middleware);
    shared.emitter.fail(failure);
    shared.emitter.lose(event, DropReason::Middleware);
    stop(event, &mut Checkpoint::default(), DropReason::Middleware)
}

/// Stops an event that a before plugin was to see which could not be loaded: it may be the one that redacts.
#[cold]
fn miss(shared: &Shared, event: &mut Event, absent: &AbsentBefore) -> Stopped {
    absent.record.failed();
    let name = absent.name.clone();
    shared.emitter.fail_throttled(Topic::Plugin, &absent.name, (1, false), move |repeats| {
        let message = format!("plugin could not be loaded; the event is dropped{}", repeats.suffix());
        let mut failure = Failure::new(name, message, repeats.events);
        failure.dropped = Some(DropReason::BeforeFailed);
        failure
    });
    shared.emitter.lose(event, DropReason::BeforeFailed);
    stop(event, &mut Checkpoint::default(), DropReason::BeforeFailed)
}

fn stop(event: &mut Event, checkpoint: &mut Checkpoint, reason: DropReason) -> Stopped {
    checkpoint.finish(event);
    if let Some(ticket) = event.attached.ticket.take() {
        ticket.settle(Outcome::Dropped(reason));
    }
    Stopped { reason }
}

/// The future of a [`Stage`].
pub(super) enum StageFuture<F> {
    Through(F),
    Slow(BoxFuture<'static, Result<(), Stopped>>),
    Stopped(Option<Stopped>),
}

impl<F: Future<Output = Result<(), Stopped>> + Unpin> Future for StageFuture<F> {
    type Output = Result<(), Stopped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            StageFuture::Through(inner) => Pin::new(inner).poll(cx),
            StageFuture::Slow(rest) => rest.as_mut().poll(cx),
            StageFuture::Stopped(stopped) => Poll::Ready(stopped.take().map_or(Ok(()), Err)),
        }
    }
}
