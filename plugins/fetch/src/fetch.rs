//! The HTTP client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;
use tracklane::transport::Body;

use crate::body::FetchBody;
use crate::error::FetchError;
use crate::exchange;
use crate::local::local;

/// An HTTP client over the host's `fetch`, as a tower service.
///
/// It follows no redirect, so that the write key goes to no other host. A browser hides the status of a redirect: 302
/// stands for it. A request that nobody waits for any more is aborted. Browsers set some headers themselves, such as
/// `User-Agent`, and ask the server first whether it takes the others (CORS).
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetch;

impl Service<Request<Body>> for Fetch {
    type Response = Response<FetchBody>;
    type Error = FetchError;
    type Future = FetchFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> FetchFuture {
        FetchFuture(Box::pin(local(exchange::send(request))))
    }
}

/// The future of [`Fetch`].
#[must_use = "futures do nothing unless polled"]
pub struct FetchFuture(Pin<Box<dyn Future<Output = Result<Response<FetchBody>, FetchError>> + Send>>);

impl Future for FetchFuture {
    type Output = Result<Response<FetchBody>, FetchError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for FetchFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchFuture").finish_non_exhaustive()
    }
}
