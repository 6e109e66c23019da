//! The errors of a client that refuses a call or a plugin.

use std::fmt;

use crate::error::BoxError;
use crate::event::{Event, InvalidField};

/// The reason why a call was refused.
///
/// Non-exhaustive, because another reason may be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The event cannot be sent.
    #[error(transparent)]
    Invalid(InvalidField),
    /// The limits of the settings are reached.
    #[error(
        "the queue is full: {events} events of {bytes} bytes are under way, at most {max_events} events and {max_bytes} \
         bytes are allowed"
    )]
    QueueFull {
        /// Events under way.
        events: u64,
        /// Their size, in bytes of JSON.
        bytes: u64,
        /// The setting `max_queue_size`.
        max_events: u64,
        /// The setting `max_queue_bytes`.
        max_bytes: u64,
    },
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
    /// The client was built before this process was forked, so nothing here would send the event.
    #[error("the client was built before this process was forked: build one in this process")]
    Forked,
    /// The runtime of the client ([`Builder::runtime`](crate::Builder::runtime)) has ended, so nothing would send the
    /// event.
    #[error("the runtime of the client has ended: build a client on a running one")]
    RuntimeEnded,
    /// Events lead to events without end: a plugin, listener or callback sends one for each event.
    #[error("event loop: a plugin, listener or callback answers events with events, and this is the eighth in a row")]
    Loop,
}

/// The error of a call: the reason why it was refused, and the event.
///
/// ```
/// use tracklane::{CallError, RefusalReason, Track};
///
/// // What a mock of the client returns.
/// let error = CallError::new(RefusalReason::Closed, Track::new("Signed Up").user_id("u1"));
/// assert!(error.is_closed());
/// assert_eq!(error.to_string(), "track refused: the client was closed");
/// ```
#[derive(PartialEq, Eq)]
pub struct CallError {
    pub(crate) reason: RefusalReason,
    pub(crate) event: Box<Event>,
}

impl CallError {
    /// Makes the error of a call with this event.
    pub fn new(reason: RefusalReason, event: impl Into<Event>) -> Self {
        Self { reason, event: Box::new(event.into()) }
    }

    /// Returns why the call was refused.
    #[must_use]
    pub fn reason(&self) -> &RefusalReason {
        &self.reason
    }

    /// Returns whether the queue was full, so that the same call may succeed later.
    #[must_use]
    pub fn is_queue_full(&self) -> bool {
        matches!(self.reason, RefusalReason::QueueFull { .. })
    }

    /// Returns whether the client was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.reason == RefusalReason::Closed
    }

    /// Returns whether the client belongs to the process that this one was forked from.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        self.reason == RefusalReason::Forked
    }

    /// Returns whether the runtime of the client has ended.
    #[must_use]
    pub fn is_runtime_ended(&self) -> bool {
        self.reason == RefusalReason::RuntimeEnded
    }

    /// Returns whether something is wrong with the event itself.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.reason, RefusalReason::Invalid(_))
    }

    /// Returns the event, to send it again. It has the time of the call, and the context that
    /// [`call_context`](crate::Builder::call_context) added.
    #[must_use]
    pub fn into_event(self) -> Event {
        *self.event
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused: {}", self.event.kind(), self.reason)
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError").field("reason", &self.reason).field("event", &self.event).finish()
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.source()
    }
}

/// The reason why a plugin could not be registered or deregistered.
///
/// Non-exhaustive, because another reason may be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is a plugin of that name already.
    #[error("a plugin named {name:?} is registered already: deregister it first, or choose another name")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// There is no plugin of that name.
    #[error("no plugin named {name:?} is registered")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The plugin failed to load, and is not registered.
    #[error("the plugin {name:?} could not be loaded{}", unless_caused(problem, source))]
    Load {
        /// The name.
        name: String,
        /// A description of the error, panic or timeout. An error is displayed as the source, and not here.
        problem: String,
        /// The plugin's error, if it returned one.
        source: Option<BoxError>,
    },
    /// The plugin was deregistered, but failed to unload.
    #[error("the plugin {name:?} could not be unloaded{}", unless_caused(problem, source))]
    Unload {
        /// The name.
        name: String,
        /// A description of the error, panic or timeout. An error is displayed as the source, and not here.
        problem: String,
        /// The plugin's error, if it returned one.
        source: Option<BoxError>,
    },
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
    /// The client was built before this process was forked, so nothing here does its work.
    #[error("the client was built before this process was forked: build one in this process")]
    Forked,
    /// The runtime of the client ([`Builder::runtime`](crate::Builder::runtime)) has ended.
    #[error("the runtime of the client has ended: build a client on a running one")]
    RuntimeEnded,
}

impl From<RefusalReason> for RegisterError {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::Forked => RegisterError::Forked,
            RefusalReason::RuntimeEnded => RegisterError::RuntimeEnded,
            _ => RegisterError::Closed,
        }
    }
}

/// Returns the displayed description of a problem. An error is displayed as the source.
fn unless_caused(problem: &str, source: &Option<BoxError>) -> String {
    match source {
        Some(_) => String::new(),
        None => format!(": {problem}"),
    }
}

impl RegisterError {
    /// The settings of the destination cannot be used.
    pub(crate) fn settings(name: &str, error: impl Into<BoxError>) -> Self {
        let source = error.into();
        RegisterError::Load { name: name.to_owned(), problem: source.to_string(), source: Some(source) }
    }
}
