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
    pub(super) fn new(source: reqwest::Error) -> Self {
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

/// The resolver's error, so that it can be told from others.
#[derive(Debug, thiserror::Error)]
#[error("looking up {host:?} failed")]
pub(super) struct LookupError {
    pub(super) host: String,
    pub(super) source: io::Error,
}
