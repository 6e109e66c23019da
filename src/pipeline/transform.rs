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
use crate::ledger::{DropReason, Envelope, Outcome, Ticket};
use crate::plugin::{Flow, Runner, SyncTransform, TransformPlugin};
use crate::supervise::{self, EVENT_LIMIT, Fault, log, repeat_suffix};

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
        let Passage { envelope, plan, shared } = &mut passage;
        if self.layer == StageLayer::Before {
            let Envelope { item: event, ticket } = envelope;
            if let Err(invalid) = event.commit() {
                return StageFuture::Stopped(Some(refuse(shared, ticket, &invalid)));
            }
            if let Some(absent) = plan.missed_before(event.kind()) {
                return StageFuture::Stopped(Some(miss(shared, ticket, absent)));
            }
        }
        let plugins = self.layer.of(plan);
        let (mut checkpoint, mut worked_off) = (Checkpoint::default(), 0);
        for plugin in plugins {
            if plugin.wants(envelope.kind()) {
                let Runner::Sync(transform) = &plugin.runner else { break };
                if let Err(stopped) = self.layer.run_sync(shared, plugin, &**transform, envelope, &mut checkpoint) {
                    return StageFuture::Stopped(Some(stopped));
                }
            }
            worked_off += 1;
        }
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
    let Passage { mut envelope, plan, shared } = passage;
    let mut checkpoint = Checkpoint::default();
    for plugin in layer.of(&plan).iter().skip(from) {
        if !plugin.wants(envelope.kind()) {
            continue;
        }
        let envelope = &mut envelope;
        match &plugin.runner {
            Runner::Sync(transform) => layer.run_sync(&shared, plugin, &**transform, envelope, &mut checkpoint)?,
            Runner::Async(_) if plugin.is_quarantined() => layer.without(&envelope.ticket)?,
            Runner::Async(transform) => {
                let event = &mut envelope.item;
                checkpoint.save(event);
                let outcome =
                    supervise::run(&plugin.watched, &shared.clock, EVENT_LIMIT, || transform.transform(event)).await;
                accept(&mut checkpoint, event);
                layer.follow(&shared, plugin, envelope, &mut checkpoint, outcome)?;
            }
        }
    }
    drop(checkpoint);
    inner.call(Passage { envelope, plan, shared }).await
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
        envelope: &mut Envelope<Event>,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_quarantined() {
            return self.without(&envelope.ticket);
        }
        let event = &mut envelope.item;
        checkpoint.save(event);
        let outcome = supervise::call(&plugin.watched, || transform(event));
        accept(checkpoint, event);
        self.follow(shared, plugin, envelope, checkpoint, outcome)
    }

    /// Does what follows from a plugin's outcome: goes on, takes its changes back, or stops the event.
    fn follow(
        self,
        shared: &Shared,
        plugin: &Registered<TransformPlugin>,
        Envelope { item: event, ticket }: &mut Envelope<Event>,
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
                Err(stop(ticket, DropReason::Plugin))
            }
            Err(fault) => {
                checkpoint.restore(event);
                self.report(shared, plugin, fault);
                self.without(ticket)
            }
        }
    }

    /// What becomes of an event that a plugin did not work on.
    fn without(self, ticket: &Ticket) -> Result<(), Stopped> {
        match self {
            StageLayer::Before => Err(stop(ticket, DropReason::BeforeFailed)),
            StageLayer::Enrichment => Ok(()),
        }
    }

    #[cold]
    fn report(self, shared: &Shared, plugin: &Registered<TransformPlugin>, fault: Fault) {
        let quarantined = fault.is_crash() && plugin.crashed();
        let Some(events) = plugin.record.failed(shared.clock.now(), quarantined) else { return };
        let dropped = (self == StageLayer::Before).then_some(DropReason::BeforeFailed);
        let consequence = match (dropped, quarantined) {
            (Some(_), false) => "the event is dropped",
            (None, false) => "the event goes on without it",
            (Some(_), true) => "it is not called any more, and every event is dropped until it is deregistered",
            (None, true) => "it is not called any more",
        };
        let message = format!("plugin {fault}; {consequence}{}", repeat_suffix(events));
        let mut failure = Failure::new(plugin.name.clone(), message, events);
        failure.dropped = dropped;
        failure.error = fault.into_error().map(Arc::from);
        shared.emitter.fail(failure);
    }
}

/// Stops an event that cannot be sent before any plugin sees it. It could when it was called: what came since is a
/// layer's.
#[cold]
fn refuse(shared: &Shared, ticket: &Ticket, invalid: &InvalidField) -> Stopped {
    let mut failure = Failure::new("tracklane", format!("an event was dropped before its plugins: {invalid}"), 1);
    failure.dropped = Some(DropReason::Middleware);
    shared.emitter.fail(failure);
    stop(ticket, DropReason::Middleware)
}

/// Stops an event that a before plugin was to see which could not be loaded: it may be the one that redacts.
#[cold]
fn miss(shared: &Shared, ticket: &Ticket, absent: &AbsentBefore) -> Stopped {
    if let Some(events) = absent.record.failed(shared.clock.now(), false) {
        let said_for = repeat_suffix(events);
        let message = format!("plugin could not be loaded; the event is dropped{said_for}");
        let mut failure = Failure::new(absent.name.clone(), message, events);
        failure.dropped = Some(DropReason::BeforeFailed);
        shared.emitter.fail(failure);
    }
    stop(ticket, DropReason::BeforeFailed)
}

fn stop(ticket: &Ticket, reason: DropReason) -> Stopped {
    ticket.settle(Outcome::Dropped(reason));
    Stopped { reason }
}

/// Takes over what a plugin left. Who waits for an event that it put in the place of this one waits in vain.
fn accept(checkpoint: &mut Checkpoint, event: &mut Event) {
    checkpoint.accept(event);
    if !event.slot.is_empty() {
        supervise::discard(std::mem::take(&mut event.slot));
    }
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
