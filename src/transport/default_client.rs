//! The default HTTP client: `reqwest`, with TLS as the features select it.

use std::fmt;
use std::net::ToSocketAddrs;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use tower_service::Service;

use super::caught::Caught;
use super::connections::{Connections, Settings};
use super::proxies::Proxies;
use super::send_error::{LookupError, SendError};
use super::tls::Tls;
use super::{Blocking, Body, proxy_url};
use crate::error::{BoxError, SettingsError};
use crate::supervise;

/// The largest number of host names that are looked up at once. A resolver that hangs holds a thread for each attempt.
const MOST_LOOKUPS: usize = 64;

/// The default HTTP client. It speaks HTTP/1.1, follows no redirects, and neither asks for compression nor
/// decompresses. It honours the proxy variables of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
/// `NO_PROXY`), except for hosts on this machine. It uses no connection for longer than five minutes, so it follows a
/// host that moves. None of this depends on the features that the application has switched on for its own `reqwest`.
/// Cheap to clone.
#[derive(Clone)]
pub struct DefaultClient {
    connections: Arc<Connections>,
}

impl DefaultClient {
    /// Makes a client with a connection pool of its own.
    ///
    /// # Errors
    ///
    /// Returns an error if the machine has no certificates to check servers against, if a proxy variable of the
    /// environment is not the URL of a proxy, or if none of the features `rustls`, `rustls-ring` and `native-tls` is
    /// on.
    pub fn new() -> Result<Self, SettingsError> {
        Self::with(Tls::checked()?, Proxies::of_environment()?)
    }

    /// Makes a client for servers without TLS, such as one on this machine. It needs no certificates, and cannot
    /// connect over TLS.
    ///
    /// # Errors
    ///
    /// Returns an error if a proxy variable of the environment is not the URL of a proxy.
    pub fn plaintext() -> Result<Self, SettingsError> {
        Self::with(Tls::trusting_nobody()?, Proxies::of_environment()?)
    }

    /// Makes a client that uses the proxy at `url`, such as `http://user:password@proxy.example:8080`, and none of the
    /// environment. The proxy speaks `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`; `host:port` alone is
    /// an `http` proxy.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is not one of such a proxy, and the errors of [`new`](Self::new) that do not concern
    /// the environment. The error does not show the URL, which may hold a password.
    pub fn through_proxy(url: &str) -> Result<Self, SettingsError> {
        Self::with(Tls::checked()?, Proxies::One(proxy_url(url)?))
    }

    fn with(tls: Tls, proxies: Proxies) -> Result<Self, SettingsError> {
        let settings = Settings { tls, proxies: Arc::new(proxies), resolver: Arc::new(SystemResolver::new()) };
        Ok(Self { connections: Arc::new(Connections::new(settings)?) })
    }
}

/// Hides the proxy, which may have a password.
impl fmt::Debug for DefaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultClient").finish_non_exhaustive()
    }
}

/// The body of a response of the default client, read as it comes.
#[derive(Debug)]
pub struct ResponseBody(reqwest::Body);

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = supervise::catch(|| Pin::new(&mut self.0).poll_frame(cx));
        let Ok(polled) = polled else { return Poll::Ready(Some(Err(SendError::panicked().into()))) };
        polled.map_err(|error| error.without_url().into())
    }
}

impl Service<Request<Body>> for DefaultClient {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connections = self.connections.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.map(Body::into_bytes))?;
            let by_proxy = connections.take_proxy(request.url());
            let server = if by_proxy { None } else { server(request.url()) };
            let pool = connections.pool();
            let client = pool.client.clone();
            let Ok(response) = Caught::new(async move { client.execute(request).await }, pool.wary).await else {
                connections.give_up(&pool);
                return Err(SendError::panicked().into());
            };
            // The URL may hold secrets.
            let response = response.map_err(|error| SendError::new(error.without_url(), server))?;
            // For TLS, this response comes before there is a tunnel to the server.
            if by_proxy && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Err(SendError::proxy_authentication().into());
            }
            Ok(Response::from(response).map(ResponseBody))
        })
    }
}

/// Returns the host and the port of a URL.
fn server(url: &reqwest::Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// The machine's resolver, with an error of its own type.
struct SystemResolver(Blocking);

impl SystemResolver {
    fn new() -> Self {
        Self(Blocking::new("tracklane-dns", MOST_LOOKUPS))
    }
}

impl reqwest::dns::Resolve for SystemResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let threads = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let looked_up = host.clone();
            let found = threads.run(move || (looked_up, 0).to_socket_addrs()).await?;
            let addresses = found.map_err(|source| LookupError { host, source })?;
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
