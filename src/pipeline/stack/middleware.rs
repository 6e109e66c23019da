//! The user's layers, as one layer of the stack. Without user layers it passes events through.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower_layer::Layer;
use tower_service::Service;

use super::exit::Continuation;
use super::inspection::Visit;
use super::request::StackRequest;
use super::stage;
use super::stopped::Stopped;
use super::user_layers::UserLayers;

/// Makes a [`Middleware`].
#[derive(Clone, Default)]
pub(super) struct MiddlewareLayer(pub(super) Option<Arc<UserLayers>>);

impl<S> Layer<S> for MiddlewareLayer {
    type Service = Middleware<S>;

    fn layer(&self, inner: S) -> Middleware<S> {
        Middleware { layers: self.0.clone(), inner }
    }
}

/// Sends an event through the user's layers, and then on.
#[derive(Clone)]
pub(in crate::pipeline) struct Middleware<S> {
    layers: Option<Arc<UserLayers>>,
    pub(super) inner: S,
}

impl<S> Service<StackRequest> for Middleware<S>
where
    S: Service<StackRequest, Response = (), Error = Stopped> + Clone + Send + Sync + 'static,
    S::Future: Send + Unpin,
{
    type Response = ();
    type Error = Stopped;
    type Future = MiddlewareFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        // The user's service is polled ready in the call. There its time is limited, and its failure is counted with
        // the event.
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: StackRequest) -> Self::Future {
        let Some(layers) = &self.layers else {
            return MiddlewareFuture::Through(self.inner.call(request));
        };
        let visit = layers.inspector.as_ref().map(|inspector| Visit::begin(layers, inspector, &request.envelope));
        let rest = rest(layers.clone(), self.inner.clone(), visit);
        MiddlewareFuture::Layered(Box::pin(layers.clone().pass(request, rest)))
    }
}

/// Makes the rest of the way, behind the layers.
fn rest<S>(layers: Arc<UserLayers>, mut inner: S, visit: Option<Visit>) -> Continuation
where
    S: Service<StackRequest, Response = (), Error = Stopped> + Send + Sync + 'static,
    S::Future: Send + Unpin,
{
    Box::new(move |mut request| {
        Box::pin(async move {
            request.turn.let_in(layers.gate);
            let checked = stage::check(&mut request.envelope, &layers.emitter, layers.inspector.as_ref());
            if let Some(visit) = visit {
                visit.end(&request.envelope);
            }
            if let Err(stopped) = checked {
                layers.emitter.lose(&request.envelope.item, stopped.reason);
                return Err(stopped);
            }
            poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(request).await
        })
    })
}

/// The future of a [`Middleware`].
pub(in crate::pipeline) enum MiddlewareFuture<F> {
    Through(F),
    Layered(BoxFuture<'static, Result<(), Stopped>>),
}

impl<F: Future<Output = Result<(), Stopped>> + Unpin> Future for MiddlewareFuture<F> {
    type Output = Result<(), Stopped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            MiddlewareFuture::Through(inner) => Pin::new(inner).poll(cx),
            MiddlewareFuture::Layered(passing) => passing.as_mut().poll(cx),
        }
    }
}
