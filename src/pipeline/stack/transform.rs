//! The before and the enrichment plugins, each role a layer of the stack.
//!
//! A stage runs its plugins in order. While they are synchronous, nothing is allocated and nothing awaited; from the
//! first asynchronous one on, the rest of the stage is a boxed future.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower_layer::Layer;
use tower_service::Service;

use super::passage::Passage;
use super::stage::Stage;
use super::stopped::Stopped;
use crate::event::Checkpoint;
use crate::plugin::Runner;

/// Makes a [`Transform`].
#[derive(Clone)]
pub(super) struct TransformLayer(Arc<Stage>);

impl TransformLayer {
    pub(super) fn new(stage: Stage) -> Self {
        Self(Arc::new(stage))
    }
}

impl<S> Layer<S> for TransformLayer {
    type Service = Transform<S>;

    fn layer(&self, inner: S) -> Transform<S> {
        Transform { stage: self.0.clone(), inner }
    }
}

/// Has the plugins of one role work on an event, and passes it on.
#[derive(Clone)]
pub(in crate::pipeline) struct Transform<S> {
    pub(super) stage: Arc<Stage>,
    pub(super) inner: S,
}

impl<S> Service<Passage> for Transform<S>
where
    S: Service<Passage, Response = (), Error = Stopped> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = ();
    type Error = Stopped;
    type Future = TransformFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut passage: Passage) -> Self::Future {
        match run(&self.stage, &mut passage) {
            Err(stopped) => {
                self.stage.emitter.lose(&passage.envelope.item, stopped.reason);
                TransformFuture::Stopped(Some(stopped))
            }
            Ok(None) if passage.quarantine.is_some() => {
                TransformFuture::Stopped(Some(self.stage.quarantine.take(passage)))
            }
            Ok(None) => TransformFuture::Through(self.inner.call(passage)),
            Ok(Some(from)) => {
                let rest = rest(self.stage.clone(), self.inner.clone(), passage, from);
                TransformFuture::Slow(Box::pin(rest))
            }
        }
    }
}

/// Runs the plugins as far as none has to be waited for. Returns where the rest begins, if there is one.
fn run(stage: &Stage, passage: &mut Passage) -> Result<Option<usize>, Stopped> {
    stage.admit(&mut passage.envelope)?;
    let mut checkpoint = Checkpoint::default();
    for (at, plugin) in stage.plugins.iter().enumerate() {
        let wanted = plugin.wants(passage.envelope.kind());
        match &plugin.runner {
            Runner::Sync(transform) if wanted => stage.run_sync(plugin, &**transform, passage, &mut checkpoint)?,
            Runner::Sync(_) => {}
            Runner::Async(_) if wanted || !passage.turn.is_next(stage.gate(at)) => return Ok(Some(at)),
            Runner::Async(_) => {}
        }
    }
    Ok(None)
}

/// The rest of a stage from its first asynchronous plugin on.
async fn rest<S>(stage: Arc<Stage>, mut inner: S, mut passage: Passage, from: usize) -> Result<(), Stopped>
where
    S: Service<Passage, Response = (), Error = Stopped>,
{
    if let Err(stopped) = run_from(&stage, &mut passage, from).await {
        stage.emitter.lose(&passage.envelope.item, stopped.reason);
        return Err(stopped);
    }
    if passage.quarantine.is_some() {
        return Err(stage.quarantine.take(passage));
    }
    poll_fn(|cx| inner.poll_ready(cx)).await?;
    inner.call(passage).await
}

/// Runs the plugins of a stage from this one on.
async fn run_from(stage: &Stage, passage: &mut Passage, from: usize) -> Result<(), Stopped> {
    let mut checkpoint = Checkpoint::default();
    for (at, plugin) in stage.plugins.iter().enumerate().skip(from) {
        let wanted = plugin.wants(passage.envelope.kind());
        match &plugin.runner {
            Runner::Sync(transform) if wanted => stage.run_sync(plugin, &**transform, passage, &mut checkpoint)?,
            Runner::Sync(_) => {}
            Runner::Async(transform) if wanted => {
                let gate = stage.gate(at);
                let permit = passage.turn.enter(gate, plugin.permits()).await;
                stage.run_async(plugin, &**transform, passage, &mut checkpoint).await?;
                passage.turn.leave(gate).await;
                drop(permit);
            }
            Runner::Async(_) => {
                let gate = stage.gate(at);
                passage.turn.pass_by(gate).await;
                passage.turn.leave(gate).await;
            }
        }
    }
    Ok(())
}

/// The future of a [`Transform`].
pub(in crate::pipeline) enum TransformFuture<F> {
    Through(F),
    Slow(BoxFuture<'static, Result<(), Stopped>>),
    Stopped(Option<Stopped>),
}

impl<F: Future<Output = Result<(), Stopped>> + Unpin> Future for TransformFuture<F> {
    type Output = Result<(), Stopped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            TransformFuture::Through(inner) => Pin::new(inner).poll(cx),
            TransformFuture::Slow(rest) => rest.as_mut().poll(cx),
            TransformFuture::Stopped(stopped) => Poll::Ready(stopped.take().map_or(Ok(()), Err)),
        }
    }
}
