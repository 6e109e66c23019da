//! The error of the default client when it gets no response.
//!
//! Its kinds are those that an operator treats differently. No text here holds a path, a query, a header or a body.

use std::error::Error;
use std::fmt;
use std::io;

/// The error of a request that got no response. It names the host and the port, and otherwise nothing of the URL.
#[derive(Debug)]
pub struct SendError {
    kind: SendErrorKind,
    /// `None` for an answer of the proxy, and for a panic.
    source: Option<reqwest::Error>,
    /// The host and port that a connection was wanted to; `None` if a proxy is in between.
    server: Option<String>,
}

/// The kind of a [`SendError`].
///
/// Non-exhaustive, because a kind may be split off from `Protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The host's name could not be looked up.
    Dns,
    /// No TLS session was made: the certificate is not valid, or the server does not speak TLS.
    Tls,
    /// The proxy asks for a user name and a password, or rejects those in its URL.
    ProxyAuthentication,
    /// The connection was refused, or not made in time; or a proxy did not make it.
    Connect,
    /// The connection was lost, or the response is not HTTP.
    Protocol,
    /// The HTTP client panicked, for example in a subscriber of its log. Its connections were given up.
    Panicked,
}

impl SendError {
    pub(super) fn new(source: reqwest::Error, server: Option<String>) -> Self {
        let kind = if causes(&source).any(|cause| cause.is::<LookupError>()) {
            SendErrorKind::Dns
        } else if source.is_connect() && causes(&source).any(is_tls) {
            SendErrorKind::Tls
        } else if causes(&source).any(is_proxy_authentication) {
            SendErrorKind::ProxyAuthentication
        } else if source.is_connect() {
            SendErrorKind::Connect
        } else {
            SendErrorKind::Protocol
        };
        Self { kind, source: Some(source), server }
    }

    /// A proxy answered 407 in the server's place.
    pub(super) fn proxy_authentication() -> Self {
        Self { kind: SendErrorKind::ProxyAuthentication, source: None, server: None }
    }

    /// Shows nothing of the thrown value, which may hold a URL.
    pub(super) fn panicked() -> Self {
        Self { kind: SendErrorKind::Panicked, source: None, server: None }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }
}

/// Returns the causes of `error`, the outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source())
}

/// `rustls` errors are wrapped in I/O errors, which do not return them as a source.
#[cfg(any(feature = "rustls", feature = "rustls-ring"))]
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_tls(inner))
}

/// The platform's TLS errors have no type that can be named here. They all count as errors of connecting.
#[cfg(not(any(feature = "rustls", feature = "rustls-ring")))]
fn is_tls(_: &(dyn Error + 'static)) -> bool {
    false
}

/// The messages of a tunnel and of SOCKS when the proxy refuses the user. Their types cannot be named.
fn is_proxy_authentication(cause: &(dyn Error + 'static)) -> bool {
    let said = cause.to_string();
    [
        "tunnel error: proxy authorization required",
        "SOCKS error: credentials not accepted",
        "SOCKS error: server does not support user/pass authentication",
    ]
    .contains(&said.as_str())
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (SendErrorKind::Connect, Some(server)) = (self.kind, &self.server) {
            return write!(f, "no connection to the server {server}");
        }
        f.write_str(match self.kind {
            SendErrorKind::Dns => "the host's name cannot be looked up",
            SendErrorKind::Tls => "no TLS session with the server",
            SendErrorKind::ProxyAuthentication => {
                "the proxy asks for authentication: write its user name and password into its URL"
            }
            SendErrorKind::Connect => "no connection to the server",
            SendErrorKind::Protocol => "the connection was lost before a response came",
            SendErrorKind::Panicked => {
                "the HTTP client panicked, maybe in a subscriber of its log: see what it printed to standard error"
            }
        })
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// The resolver's error, as a type of its own.
#[derive(Debug, thiserror::Error)]
#[error("looking up {host:?} failed")]
pub(super) struct LookupError {
    pub(super) host: String,
    pub(super) source: io::Error,
}
