//! The error of a call: why an event was refused, and the event itself.

use std::fmt;

use crate::event::{Event, InvalidField};

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The event is not one that can be sent.
    #[error(transparent)]
    Invalid(InvalidField),
    /// As much as the settings allow is under way.
    #[error(
        "the queue is full: {events} events of {bytes} bytes are under way, at most {max_events} events and {max_bytes} \
         bytes are allowed"
    )]
    QueueFull {
        /// Events under way.
        events: u64,
        /// What they weigh, in bytes of JSON.
        bytes: u64,
        /// The setting `max_queue_size`.
        max_events: u64,
        /// The setting `max_queue_bytes`.
        max_bytes: u64,
    },
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
    /// The client was built before this process was forked, so that nothing here would send the event.
    #[error("the client was built before this process was forked: build one in this process")]
    Forked,
    /// The runtime that the client works on ([`Builder::runtime`](crate::Builder::runtime)) has ended, so that nothing
    /// would send the event.
    #[error("the runtime that the client works on has ended: build a client on one that lives")]
    RuntimeEnded,
    /// A plugin, listener or callback answers events with events, which lead to events again.
    #[error("a plugin, listener or callback sends events because of its own events: eight led to this one")]
    Loop,
}

/// The error of a call: why it was refused, and the event.
pub struct CallError {
    pub(super) reason: RefusalReason,
    pub(super) event: Box<Event>,
}

impl CallError {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &RefusalReason {
        &self.reason
    }

    /// Whether the queue was full, so that the same call may succeed later.
    #[must_use]
    pub fn is_queue_full(&self) -> bool {
        matches!(self.reason, RefusalReason::QueueFull { .. })
    }

    /// Whether the client was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.reason == RefusalReason::Closed
    }

    /// Whether the client belongs to the process that this one was forked from.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        self.reason == RefusalReason::Forked
    }

    /// Whether the runtime that the client works on has ended.
    #[must_use]
    pub fn is_runtime_ended(&self) -> bool {
        self.reason == RefusalReason::RuntimeEnded
    }

    /// Whether something is wrong with the event itself.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.reason, RefusalReason::Invalid(_))
    }

    /// The event, with the time of the call and what [`call_context`](crate::Builder::call_context) added, to be sent
    /// again.
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
