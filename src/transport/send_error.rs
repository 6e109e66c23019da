//! Why the default client got no response.
//!
//! The kinds are those that an operator treats differently. No text here holds a URL, a header or a body.

use std::error::Error;
use std::fmt;
use std::io;

/// The error of a request that got no response. It names no URL and no header.
#[derive(Debug)]
pub struct SendError {
    kind: SendErrorKind,
    /// None for an answer of the proxy, and for a panic.
    source: Option<reqwest::Error>,
}

/// What kept a request from getting a response.
///
/// Non-exhaustive: a kind may come to be told apart from `Protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The host's name could not be looked up.
    Dns,
    /// No TLS session came about: the certificate is not valid, or the server does not speak TLS.
    Tls,
    /// The proxy asks for a user name and a password, or for others than the ones in its URL.
    ProxyAuthentication,
    /// The connection was refused, or not made in time; or a proxy did not make it.
    Connect,
    /// The connection was lost, or what came back is not HTTP.
    Protocol,
    /// The HTTP client panicked, as it does where a subscriber of its log does. Its connections were given up.
    Panicked,
}

impl SendError {
    pub(super) fn new(source: reqwest::Error) -> Self {
        let kind = if causes(&source).any(|cause| cause.is::<LookupError>()) {
            SendErrorKind::Dns
        } else if causes(&source).any(is_tls) {
            SendErrorKind::Tls
        } else if causes(&source).any(is_proxy_authentication) {
            SendErrorKind::ProxyAuthentication
        } else if source.is_connect() {
            SendErrorKind::Connect
        } else {
            SendErrorKind::Protocol
        };
        Self { kind, source: Some(source) }
    }

    /// A proxy answered 407 in the server's place.
    pub(super) fn proxy_authentication() -> Self {
        Self { kind: SendErrorKind::ProxyAuthentication, source: None }
    }

    /// Nothing is shown of what was thrown, which may hold a URL.
    pub(super) fn panicked() -> Self {
        Self { kind: SendErrorKind::Panicked, source: None }
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
#[cfg(any(feature = "rustls", feature = "rustls-ring"))]
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_tls(inner))
}

/// The platform's TLS has no type that can be named here: its errors are all those of connecting.
#[cfg(not(any(feature = "rustls", feature = "rustls-ring")))]
fn is_tls(_: &(dyn Error + 'static)) -> bool {
    false
}

/// What a tunnel and SOCKS say when the proxy does not let one in. Their types cannot be named.
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

/// The resolver's error, so that it can be told from others.
#[derive(Debug, thiserror::Error)]
#[error("looking up {host:?} failed")]
pub(super) struct LookupError {
    pub(super) host: String,
    pub(super) source: io::Error,
}
