//! The service: notes what a request says, and hands it on as it is.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::layer::Settings;
use crate::page_calls::PageCalls;
use crate::request::RequestContext;

/// A service whose requests are [current](RequestContext::current) while it handles them; made by
/// [`RequestContextLayer`](crate::RequestContextLayer).
#[derive(Clone)]
pub struct RequestContextService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> RequestContextService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> Service<Request<B>> for RequestContextService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    /// There is no request yet, so none is current here.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let context = RequestContext::of(&parts, &self.settings);
        let calls = self.settings.page_calls.as_ref();
        let page = calls.and_then(|calls: &PageCalls| calls.begin(&parts, &context)).map(Box::new);
        // Services may do their work here rather than in the future.
        let response = context.sync_scope(|| self.inner.call(Request::from_parts(parts, body)));
        ResponseFuture::new(context.scope(response), page)
    }
}

impl<S: fmt::Debug> fmt::Debug for RequestContextService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContextService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
