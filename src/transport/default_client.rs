//! The HTTP client that is used when none is given: `reqwest` over `rustls`.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tower_service::Service;

use super::Body;
use crate::error::{BoxError, SettingsError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed, so that a changed DNS entry is noticed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The default HTTP client. It follows no redirects, decompresses nothing, and honours the proxy variables of the
/// environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). Cheap to clone.
#[derive(Clone, Debug)]
pub struct DefaultClient(reqwest::Client);

impl DefaultClient {
    /// A client with a connection pool of its own.
    ///
    /// # Errors
    ///
    /// If the machine has no certificates to check servers against.
    pub fn new() -> Result<Self, SettingsError> {
        let tls = tls().map_err(|error| SettingsError::http_client("the TLS certificates of this machine", error))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(SystemResolver)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build();
        client.map(Self).map_err(|error| SettingsError::http_client("the default client", error.into()))
    }
}

/// The provider is named here rather than taken from the process: other crates may have installed another, or none.
fn tls() -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

impl Service<Request<Body>> for DefaultClient {
    type Response = Response<reqwest::Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.map(Body::into_bytes))?;
            // The URL may hold what nobody should log.
            let response = client.execute(request).await.map_err(|error| SendError::new(error.without_url()))?;
            Ok(Response::from(response))
        })
    }
}

/// The error of a request that got no response. It names no URL and no header.
#[derive(Debug)]
pub struct SendError {
    kind: SendErrorKind,
    source: reqwest::Error,
}

/// What kept a request from getting a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The host's name could not be looked up.
    Dns,
    /// No TLS session came about: the certificate is not valid, or the server does not speak TLS.
    Tls,
    /// The connection was refused, or not made in time.
    Connect,
    /// The connection was lost, or what came back is not HTTP.
    Protocol,
}

impl SendError {
    fn new(source: reqwest::Error) -> Self {
        let kind = if causes(&source).any(|cause| cause.is::<LookupError>()) {
            SendErrorKind::Dns
        } else if causes(&source).any(is_tls) {
            SendErrorKind::Tls
        } else if source.is_connect() {
            SendErrorKind::Connect
        } else {
            SendErrorKind::Protocol
        };
        Self { kind, source }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }
}

/// The errors that led to `error`, the outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source())
}

/// `rustls` comes wrapped in I/O errors, which do not count what they wrap among their sources.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_tls(inner))
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SendErrorKind::Dns => "the host's name cannot be looked up",
            SendErrorKind::Tls => "no TLS session with the server",
            SendErrorKind::Connect => "no connection to the server",
            SendErrorKind::Protocol => "the connection was lost before a response came",
        })
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The machine's resolver, with an error that can be told from others.
struct SystemResolver;

#[derive(Debug, thiserror::Error)]
#[error("looking up {host:?} failed")]
struct LookupError {
    host: String,
    source: io::Error,
}

impl reqwest::dns::Resolve for SystemResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let looked_up = host.clone();
            let found = tokio::task::spawn_blocking(move || (looked_up, 0).to_socket_addrs()).await?;
            let addresses = found.map_err(|source| LookupError { host, source })?;
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}
