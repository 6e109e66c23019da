//! The signals: one marker type for each, with a typed payload.
//!
//! The names are those of analytics-node's emitter. No payload carries a secret: no write key, no token, no request
//! body, and of headers only the names.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use super::Role;
pub use super::failure::Failure;
pub use super::lost::LostEvents;
use crate::event::Event as AnyEvent;

/// A signal, to subscribe to by type: `analytics.on(signal::Error, |failure| …)`.
///
/// Only the markers of this module implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    label = "give a signal, such as `tracklane::signal::Error`",
    note = "use `on_name` for a name from configuration, such as \"error\""
)]
pub trait Signal: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The argument of a listener.
    type Payload;

    /// The signal's name, as in analytics-node.
    const NAME: &'static str;

    #[doc(hidden)]
    fn payload(emitted: &Emitted) -> Option<&Self::Payload>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! signals {
    ($($(#[$doc:meta])* $marker:ident($payload:ty) = $name:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $marker;

            impl sealed::Sealed for $marker {}

            impl Signal for $marker {
                type Payload = $payload;
                const NAME: &'static str = $name;

                fn payload(emitted: &Emitted) -> Option<&$payload> {
                    match emitted {
                        Emitted::$marker(payload) => Some(payload),
                        _ => None,
                    }
                }
            }
        )*

        /// Any signal, for a listener that subscribes by a name from configuration.
        ///
        /// Non-exhaustive, because another signal may be added.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Emitted {
            $($(#[$doc])* $marker($payload),)*
        }

        impl Emitted {
            /// Returns the signal's name, as in analytics-node.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Emitted::$marker(_) => $name,)*
                }
            }

            pub(super) fn index(&self) -> usize {
                Self::NAMES.iter().position(|name| *name == self.name()).unwrap_or_default()
            }

            /// The names of all signals.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

signals! {
    /// Something failed: a plugin, a destination, a request. [`Failure::is_loss`] says whether events are lost.
    Error(Failure) = "error";
    /// A track call was accepted.
    Track(AnyEvent) = "track";
    /// An identify call was accepted.
    Identify(AnyEvent) = "identify";
    /// A page call was accepted.
    Page(AnyEvent) = "page";
    /// A screen call was accepted.
    Screen(AnyEvent) = "screen";
    /// A group call was accepted.
    Group(AnyEvent) = "group";
    /// An alias call was accepted.
    Alias(AnyEvent) = "alias";
    /// A batch has its outcome.
    Flush(Flushed) = "flush";
    /// An HTTP request is about to be made.
    HttpRequest(RequestInfo) = "http_request";
    /// An HTTP response came, or the request failed.
    HttpResponse(ResponseInfo) = "http_response";
    /// A plugin or destination was registered.
    Register(PluginInfo) = "register";
    /// A plugin or destination was deregistered.
    Deregister(PluginInfo) = "deregister";
    /// A call was made after the client was closed. The payload is the event, with the time of the call.
    CallAfterClose(AnyEvent) = "call_after_close";
    /// The client is ready: its plugins have loaded or failed.
    Initialize(Initialized) = "initialize";
    /// Nothing is pending any more.
    Drained(DrainInfo) = "drained";
    /// Accepted events will not be delivered. The payload holds them; see [`LostEvents`].
    Lost(LostEvents) = "lost";
}

/// A batch that has its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// The destination's name.
    pub destination: Arc<str>,
    /// Events in the batch.
    pub events: usize,
    /// The bytes of their JSON.
    pub bytes: usize,
    /// Attempts that it took.
    pub attempts: u32,
    /// Set if the destination took them.
    pub delivered: bool,
}

/// An HTTP request, without secrets and without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The method.
    pub method: Method,
    /// The URL, without query.
    pub url: Arc<str>,
    /// The names of the headers.
    pub headers: Vec<http::HeaderName>,
    /// Events in the body.
    pub events: usize,
    /// Bytes of the body.
    pub bytes: usize,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// The end of an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseInfo {
    /// The URL, without query.
    pub url: Arc<str>,
    /// The status; `None` if no response came.
    pub status: Option<StatusCode>,
    /// Events in the request.
    pub events: usize,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The time from the request to the response.
    pub elapsed: Duration,
}

/// A plugin or destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its role.
    pub role: Role,
}

/// The client is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Initialized {
    /// The names of the registered plugins and destinations.
    pub plugins: Vec<Arc<str>>,
}

/// Nothing is pending.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainInfo {
    /// The number of events accepted so far.
    pub accepted: u64,
}

impl RequestInfo {
    /// Describes a request of `events` events in `bytes` bytes, with the headers of `request`.
    pub fn new<B>(request: &http::Request<B>, url: Arc<str>, events: usize, bytes: usize, attempt: u32) -> Self {
        let headers = request.headers().keys().cloned().collect();
        Self { method: request.method().clone(), url, headers, events, bytes, attempt }
    }
}

impl ResponseInfo {
    /// Describes the end of the request `request`.
    #[must_use]
    pub fn new(request: &RequestInfo, status: Option<StatusCode>, elapsed: Duration) -> Self {
        Self { url: request.url.clone(), status, events: request.events, attempt: request.attempt, elapsed }
    }
}

/// Makes the signal of an accepted call.
pub(crate) fn of_call(event: AnyEvent) -> Emitted {
    use crate::event::Kind;
    match event.kind() {
        Kind::Track => Emitted::Track(event),
        Kind::Identify => Emitted::Identify(event),
        Kind::Page => Emitted::Page(event),
        Kind::Screen => Emitted::Screen(event),
        Kind::Group => Emitted::Group(event),
        Kind::Alias => Emitted::Alias(event),
    }
}

pub(super) const CALLS: u32 = 0b111_1110;
pub(super) const LOST: u32 = 1 << 15;

impl Emitted {
    /// Returns the bytes of the events that it holds, for signals that hold many.
    pub(super) fn bytes(&self) -> usize {
        if let Emitted::Lost(lost) = self { lost.bytes() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLS, Emitted, LOST};

    #[test]
    fn the_bits_are_those_of_the_names() {
        let names = |bits: u32| Emitted::NAMES.iter().enumerate().filter(move |(at, _)| bits >> at & 1 == 1);
        let names = |bits| names(bits).map(|(_, name)| *name).collect::<Vec<_>>();
        assert_eq!(names(CALLS), ["track", "identify", "page", "screen", "group", "alias"]);
        assert_eq!(names(LOST), ["lost"]);
    }
}
