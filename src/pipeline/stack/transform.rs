//! The before and the enrichment plugins, as a layer of the stack for each role.
//!
//! A stage runs its plugins in order. While they are synchronous, nothing is allocated and nothing awaited. From the
//! first asynchronous plugin on, the rest of the stage is a boxed future.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower_layer::Layer;
use tower_service::Service;

use super::request::StackRequest;
use super::stage::Stage;
use super::stopped::Stopped;
use crate::event::Checkpoint;
use crate::plugin::Runner;

/// Makes a [`TransformService`].
#[derive(Clone)]
pub(super) struct TransformLayer(Arc<Stage>);

impl TransformLayer {
    pub(super) fn new(stage: Stage) -> Self {
        Self(Arc::new(stage))
    }
}

impl<S> Layer<S> for TransformLayer {
    type Service = TransformService<S>;

    fn layer(&self, inner: S) -> TransformService<S> {
        TransformService { stage: self.0.clone(), inner }
    }
}

/// Runs the plugins of one role on an event, and passes it on.
#[derive(Clone)]
pub(in crate::pipeline) struct TransformService<S> {
    pub(super) stage: Arc<Stage>,
    pub(super) inner: S,
}

impl<S> Service<StackRequest> for TransformService<S>
where
    S: Service<StackRequest, Response = (), Error = Stopped> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = ();
    type Error = Stopped;
    type Future = TransformServiceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: StackRequest) -> Self::Future {
        match run(&self.stage, &mut request) {
            Err(stopped) => {
                self.stage.emitter.lose(&request.envelope.item, stopped.reason);
                TransformServiceFuture::Stopped(Some(stopped))
            }
            Ok(None) if request.quarantine.is_some() => {
                TransformServiceFuture::Stopped(Some(self.stage.quarantine.take(request)))
            }
            Ok(None) => TransformServiceFuture::Through(self.inner.call(request)),
            Ok(Some(from)) => {
                let rest = rest(self.stage.clone(), self.inner.clone(), request, from);
                TransformServiceFuture::Slow(Box::pin(rest))
            }
        }
    }
}

/// Runs the plugins up to the first that has to be awaited. Returns the index of that one, if there is one.
fn run(stage: &Stage, request: &mut StackRequest) -> Result<Option<usize>, Stopped> {
    stage.admit(&mut request.envelope)?;
    let mut checkpoint = Checkpoint::default();
    for (at, plugin) in stage.plugins.iter().enumerate() {
        let wanted = plugin.wants(request.envelope.kind());
        match &plugin.runner {
            Runner::Sync(transform) if wanted => stage.run_sync(plugin, &**transform, request, &mut checkpoint)?,
            Runner::Sync(_) => {}
            Runner::Async(_) if wanted || !request.turn.is_next(stage.gate(at)) => return Ok(Some(at)),
            Runner::Async(_) => {}
        }
    }
    Ok(None)
}

/// Runs the stage from its first asynchronous plugin on, and then the rest of the stack.
async fn rest<S>(stage: Arc<Stage>, mut inner: S, mut request: StackRequest, from: usize) -> Result<(), Stopped>
where
    S: Service<StackRequest, Response = (), Error = Stopped>,
{
    if let Err(stopped) = run_from(&stage, &mut request, from).await {
        stage.emitter.lose(&request.envelope.item, stopped.reason);
        return Err(stopped);
    }
    if request.quarantine.is_some() {
        return Err(stage.quarantine.take(request));
    }
    poll_fn(|cx| inner.poll_ready(cx)).await?;
    inner.call(request).await
}

/// Runs the plugins of a stage from this one on.
async fn run_from(stage: &Stage, request: &mut StackRequest, from: usize) -> Result<(), Stopped> {
    let mut checkpoint = Checkpoint::default();
    for (at, plugin) in stage.plugins.iter().enumerate().skip(from) {
        let wanted = plugin.wants(request.envelope.kind());
        match &plugin.runner {
            Runner::Sync(transform) if wanted => stage.run_sync(plugin, &**transform, request, &mut checkpoint)?,
            Runner::Sync(_) => {}
            Runner::Async(transform) if wanted => {
                let gate = stage.gate(at);
                let permit = request.turn.enter(gate, plugin.permits()).await;
                stage.run_async(plugin, &**transform, request, &mut checkpoint).await?;
                request.turn.leave(gate).await;
                drop(permit);
            }
            Runner::Async(_) => {
                let gate = stage.gate(at);
                request.turn.pass_by(gate).await;
                request.turn.leave(gate).await;
            }
        }
    }
    Ok(())
}

/// The future of a [`TransformService`].
pub(in crate::pipeline) enum TransformServiceFuture<F> {
    Through(F),
    Slow(BoxFuture<'static, Result<(), Stopped>>),
    Stopped(Option<Stopped>),
}

impl<F: Future<Output = Result<(), Stopped>> + Unpin> Future for TransformServiceFuture<F> {
    type Output = Result<(), Stopped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            TransformServiceFuture::Through(inner) => Pin::new(inner).poll(cx),
            TransformServiceFuture::Slow(rest) => rest.as_mut().poll(cx),
            TransformServiceFuture::Stopped(stopped) => Poll::Ready(stopped.take().map_or(Ok(()), Err)),
        }
    }
}
