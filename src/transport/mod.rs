//! HTTP: one request out, one response in.
//!
//! Any tower service that takes an [`http::Request`] and answers with an [`http::Response`] is an HTTP client here.
//! Invariant: at most 64 KiB of a response are read, unless the client is set otherwise, and nothing is decompressed.
//! The default client follows no redirect, so the write key goes to no other host.

mod blocking;
mod body;
#[cfg(feature = "reqwest")]
mod caught;
#[cfg(feature = "reqwest")]
mod connections;
#[cfg(feature = "reqwest")]
mod default_client;
mod loopback;
#[cfg(feature = "reqwest")]
mod no_proxy;
#[cfg(feature = "reqwest")]
mod proxies;
mod proxy;
#[cfg(feature = "reqwest")]
mod send_error;
#[cfg(feature = "reqwest")]
mod tls;

use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::ServiceExt;
use tower::util::BoxCloneService;
use tower_service::Service;

pub(crate) use blocking::Blocking;
pub use body::Body;
#[cfg(feature = "reqwest")]
pub use default_client::DefaultClient;
pub(crate) use loopback::is_loopback;
pub(crate) use proxy::proxy_url;
#[cfg(feature = "reqwest")]
pub use send_error::{SendError, SendErrorKind};

use crate::error::BoxError;

/// The largest number of bytes that are read of a response, unless a client is [set
/// otherwise](HttpClient::max_response).
pub const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// An HTTP client, its type hidden. Cheap to clone.
///
/// ```
/// use tracklane::transport::{Body, HttpClient};
///
/// // Fully replaced: any tower service will do.
/// let client = HttpClient::new(tower::service_fn(|request: http::Request<Body>| async move {
///     println!("{} {}", request.method(), request.uri());
///     Ok::<_, std::io::Error>(http::Response::new(Body::default()))
/// }));
/// ```
#[derive(Clone)]
pub struct HttpClient {
    service: BoxCloneService<Request<Body>, Unread, BoxError>,
    max_response: usize,
}

/// A response with an unread body. A call with the limit in bytes reads it.
struct Unread {
    head: http::response::Parts,
    read: Box<dyn FnOnce(usize) -> BoxFuture<'static, Result<Bytes, BoxError>> + Send>,
}

/// A response whose body has not been read.
pub(crate) struct Exchange {
    pub(crate) head: http::response::Parts,
    pub(crate) body: BoxFuture<'static, Result<Bytes, BoxError>>,
}

impl HttpClient {
    /// Makes a client that sends its requests through `service`.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let service = BoxCloneService::new(service.map_err(Into::into).map_response(|response: Response<B>| {
            let (head, body) = response.into_parts();
            Unread { head, read: Box::new(|limit| Box::pin(body::read(body, limit))) }
        }));
        Self { service, max_response: MAX_RESPONSE_BYTES }
    }

    /// Sets the largest number of bytes that are read of a response, 64 KiB by default. For a server that answers with
    /// a line for each event.
    #[must_use]
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.max_response = bytes;
        self
    }

    /// Sends the request. The future resolves when the head of the response is there.
    pub(crate) fn send(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Exchange, BoxError>> + Send + use<> {
        let (sent, limit) = (self.service.clone().oneshot(request), self.max_response);
        async move {
            let Unread { head, read } = sent.await?;
            Ok(Exchange { head, body: read(limit) })
        }
    }
}

/// The client is a service, so that a layer can wrap it, for example to add headers or a span around each request.
impl Service<Request<Body>> for HttpClient {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sent = self.send(request);
        Box::pin(async move {
            let exchange = sent.await?;
            Ok(Response::from_parts(exchange.head, Body::from(exchange.body.await?)))
        })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
