//! The HTTP client that is used when none is given: `reqwest` over `rustls`.

use std::net::ToSocketAddrs;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Frame;
use reqwest::ClientBuilder;
use rustls::client::WantsClientCert;
use rustls::{ClientConfig, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;
use tower_service::Service;

use super::send_error::{LookupError, SendError};
use super::{Blocking, Body, is_loopback, proxy_url};
use crate::error::{BoxError, SettingsError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed, so that a changed DNS entry is noticed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Names that are looked up at once; a resolver that hangs holds a thread for each attempt.
const MOST_LOOKUPS: usize = 64;

/// The default HTTP client. It follows no redirects, decompresses nothing, and honours the proxy variables of the
/// environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), but for hosts on this machine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DefaultClient {
    client: reqwest::Client,
    /// For hosts on this machine: a proxy of the environment is elsewhere, and would see the write key.
    local: reqwest::Client,
}

impl DefaultClient {
    /// A client with a connection pool of its own.
    ///
    /// # Errors
    ///
    /// If the machine has no certificates to check servers against.
    pub fn new() -> Result<Self, SettingsError> {
        Self::with_proxies_of_environment(checked_tls()?)
    }

    /// A client for servers that are reached without TLS, such as one on this machine. It needs no certificates, and
    /// trusts no server over TLS.
    ///
    /// # Errors
    ///
    /// If the client cannot be made; there is no known reason why it could not.
    pub fn plaintext() -> Result<Self, SettingsError> {
        let trusting_nobody = |builder: ConfigBuilder| Ok(builder.with_root_certificates(RootCertStore::empty()));
        let tls = tls(trusting_nobody).map_err(|error| SettingsError::http_client("TLS", error))?;
        Self::with_proxies_of_environment(tls)
    }

    /// A client that goes through the proxy at `url`, such as `http://user:password@proxy.example:8080`, and through
    /// none that the environment names. `host:port` alone is an `http` proxy.
    ///
    /// # Errors
    ///
    /// If the URL is not one of an `http` or `https` proxy, or the machine has no certificates to check servers
    /// against. The error does not show the URL, which may hold a password.
    pub fn through_proxy(url: &str) -> Result<Self, SettingsError> {
        // The error of `reqwest` shows the URL, and with it the password.
        let proxy = reqwest::Proxy::all(proxy_url(url)?)
            .map_err(|_| SettingsError::without_value("proxy", "is not the URL of a proxy"))?;
        let client = build(settings(checked_tls()?).proxy(proxy))?;
        Ok(Self { local: client.clone(), client })
    }

    fn with_proxies_of_environment(tls: ClientConfig) -> Result<Self, SettingsError> {
        Ok(Self { client: build(settings(tls.clone()))?, local: build(settings(tls).no_proxy())? })
    }
}

fn settings(tls: ClientConfig) -> ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(SystemResolver::new())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
}

fn build(client: ClientBuilder) -> Result<reqwest::Client, SettingsError> {
    client.build().map_err(|error| SettingsError::http_client("the default client", error.into()))
}

/// TLS that checks servers against the certificates of this machine.
fn checked_tls() -> Result<ClientConfig, SettingsError> {
    tls(|builder| Ok(builder.with_platform_verifier()?))
        .map_err(|error| SettingsError::http_client("the TLS certificates of this machine", error))
}

type ConfigBuilder = rustls::ConfigBuilder<ClientConfig, WantsVerifier>;
type VerifiedBuilder = rustls::ConfigBuilder<ClientConfig, WantsClientCert>;

/// The provider is named here rather than taken from the process: other crates may have installed another, or none.
fn tls(verify: impl FnOnce(ConfigBuilder) -> Result<VerifiedBuilder, BoxError>) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(verify(builder)?.with_no_client_auth())
}

/// The body of a response of the default client, read as it comes.
#[derive(Debug)]
pub struct ResponseBody(reqwest::Body);

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_err(|error| error.without_url().into())
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
        let Self { client, local } = self.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.map(Body::into_bytes))?;
            let client = if is_loopback(request.url()) { local } else { client };
            // The URL may hold what nobody should log.
            let response = client.execute(request).await.map_err(|error| SendError::new(error.without_url()))?;
            Ok(Response::from(response).map(ResponseBody))
        })
    }
}

/// The machine's resolver, with an error that can be told from others.
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
