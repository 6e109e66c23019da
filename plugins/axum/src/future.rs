//! The future of the service: runs the inner future in its request, and makes the page call at its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::current::InRequest;
use crate::page_calls::PendingPage;

pin_project! {
    /// The future of [`RequestContextService`](crate::RequestContextService). If it is dropped before it ends, it makes
    /// no page call and frees the captured context.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: InRequest<F>,
        page: Option<Box<PendingPage>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: InRequest<F>, page: Option<Box<PendingPage>>) -> Self {
        Self { inner, page }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        if let (Some(page), Ok(response)) = (this.page.take(), &outcome) {
            page.end(response);
        }
        Poll::Ready(outcome)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
