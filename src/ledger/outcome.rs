//! How an event ends.

use std::fmt;
use std::sync::Arc;

use crate::error::BoxError;

/// Why an accepted event was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A before plugin failed, panicked or ran out of time; before fails closed.
    BeforeFailed,
    /// A plugin dropped the event on purpose.
    Plugin,
    /// Source middleware did not pass the event on.
    Middleware,
    /// No destination wanted the event, or none is registered.
    NoDestination,
    /// The destination's queue was full.
    QueueFull,
    /// The event was too large, after plugins had changed it or for the destination.
    TooLarge,
    /// The destination refused the event for good.
    Rejected,
    /// Every attempt failed.
    RetriesExhausted,
    /// The destination did not take the event within the longest time that retries or rate limiting may last.
    Expired,
    /// The destination panicked.
    Panicked,
    /// The destination can take no more events, or was deregistered before it took this one.
    Unavailable,
    /// The client was closed before the event was delivered.
    Closed,
    /// The client is disabled, so it counts events and sends none.
    Disabled,
    /// The pipeline lost the event. It never should: please report it.
    Internal,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [DropReason; 14] = [
        DropReason::BeforeFailed,
        DropReason::Plugin,
        DropReason::Middleware,
        DropReason::NoDestination,
        DropReason::QueueFull,
        DropReason::TooLarge,
        DropReason::Rejected,
        DropReason::RetriesExhausted,
        DropReason::Expired,
        DropReason::Panicked,
        DropReason::Unavailable,
        DropReason::Closed,
        DropReason::Disabled,
        DropReason::Internal,
    ];

    /// The name in logs and metrics, such as `retries_exhausted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DropReason::BeforeFailed => "before_failed",
            DropReason::Plugin => "plugin",
            DropReason::Middleware => "middleware",
            DropReason::NoDestination => "no_destination",
            DropReason::QueueFull => "queue_full",
            DropReason::TooLarge => "too_large",
            DropReason::Rejected => "rejected",
            DropReason::RetriesExhausted => "retries_exhausted",
            DropReason::Expired => "expired",
            DropReason::Panicked => "panicked",
            DropReason::Unavailable => "unavailable",
            DropReason::Closed => "closed",
            DropReason::Disabled => "disabled",
            DropReason::Internal => "internal",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an event ended, at one destination or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The destination has it. Altogether: at least one destination has it.
    Delivered,
    /// No destination has it.
    Dropped(DropReason),
}

impl Outcome {
    /// Whether the event was delivered.
    #[must_use]
    pub const fn is_delivered(self) -> bool {
        matches!(self, Outcome::Delivered)
    }
}

/// How an event ended at one destination.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DestinationOutcome {
    /// The destination's name.
    pub destination: Arc<str>,
    /// What became of the event there.
    pub outcome: Outcome,
    /// The last error of the destination, if there was one.
    pub error: Option<Arc<BoxError>>,
}

/// The end of an event, as its callback, its [`Receipt`](crate::Receipt) and after plugins see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settlement {
    /// The event's `messageId`.
    pub message_id: String,
    /// What became of the event altogether.
    pub outcome: Outcome,
    /// What became of it at each destination that was to have it.
    pub destinations: Vec<DestinationOutcome>,
}

impl Settlement {
    /// Whether at least one destination has the event.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.outcome.is_delivered()
    }
}
