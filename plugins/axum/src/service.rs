//! The service: captures the context of a request, and passes the request on unchanged.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::page_calls::PageCalls;
use crate::request::RequestContext;
use crate::settings::Settings;

/// Makes each request the [current one](RequestContext::current) while the inner service handles it. Made by
/// [`RequestContextLayer`](crate::RequestContextLayer).
#[derive(Clone)]
pub struct RequestContextService<S> {
    inner: S,
    settings: Arc<Settings>,
    page_calls: Option<PageCalls>,
}

impl<S> RequestContextService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>, page_calls: Option<PageCalls>) -> Self {
        Self { inner, settings, page_calls }
    }
}

impl<S, B, R> Service<Request<B>> for RequestContextService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    /// Polls the inner service. There is no request yet, so none is current here.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let context = RequestContext::new(&parts, &self.settings);
        let page = self.page_calls.as_ref().and_then(|calls| calls.begin(&parts, &context)).map(Box::new);
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
