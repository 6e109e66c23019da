//! The outcomes of events.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::error::BoxError;
use crate::supervise::{self, CatchDrop};

/// The reason why an accepted event was not delivered. It serializes as [its name](Self::as_str).
///
/// Non-exhaustive, because another reason may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A before plugin failed, panicked or timed out. Before plugins fail closed.
    BeforeFailed,
    /// A plugin dropped the event on purpose.
    Plugin,
    /// Source middleware did not pass the event on, or changed it so that it cannot be sent.
    Middleware,
    /// A plugin changed the event so that it cannot be sent, for example removed its id. The signal `error` has
    /// details.
    Invalid,
    /// No destination gets the event: `integrations` and kinds select none, or none was ever registered.
    NoDestination,
    /// The destination's queue was full.
    QueueFull,
    /// The event was too large, after plugins had changed it or for the destination.
    TooLarge,
    /// The destination refused the event for good.
    Rejected,
    /// The destination has no such event: for example, one without groups cannot take a group call. The
    /// [`error`](DestinationOutcome::error) of the outcome there has details.
    Skipped,
    /// The destination refused the credentials.
    Unauthorized,
    /// Every attempt failed.
    RetriesExhausted,
    /// The destination did not take the event within the longest time for retries or rate limiting.
    Expired,
    /// The event was older than the destination takes; see
    /// [`Destination::max_age`](crate::plugin::Destination::max_age).
    TooOld,
    /// The destination panicked.
    Panicked,
    /// The destination failed to load, can take no more events, or was deregistered before it took this one.
    Unavailable,
    /// The client was closed, or its runtime ended, before the event was delivered.
    Closed,
    /// The event came through a direct pipeline ([`Analytics::pipeline`](crate::Analytics::pipeline)), and its future
    /// was dropped before it ended.
    Cancelled,
    /// The destination or the client is disabled ([`Builder::disable`](crate::Builder::disable),
    /// [`Builder::disable_all`](crate::Builder::disable_all)).
    Disabled,
    /// The pipeline lost the event. This is a bug: please report it.
    Internal,
}

impl DropReason {
    /// Every reason.
    pub const ALL: &'static [DropReason] = &[
        DropReason::BeforeFailed,
        DropReason::Plugin,
        DropReason::Middleware,
        DropReason::Invalid,
        DropReason::NoDestination,
        DropReason::QueueFull,
        DropReason::TooLarge,
        DropReason::Rejected,
        DropReason::Skipped,
        DropReason::Unauthorized,
        DropReason::RetriesExhausted,
        DropReason::Expired,
        DropReason::TooOld,
        DropReason::Panicked,
        DropReason::Unavailable,
        DropReason::Closed,
        DropReason::Cancelled,
        DropReason::Disabled,
        DropReason::Internal,
    ];

    /// Returns whether the event was dropped on purpose: a plugin dropped it, no destination is selected for it or
    /// registered, the destination has no such event, or the client is disabled. Any other reason is a loss, a
    /// destination that failed to load included.
    #[must_use]
    pub const fn is_deliberate(self) -> bool {
        matches!(self, DropReason::Plugin | DropReason::NoDestination | DropReason::Skipped | DropReason::Disabled)
    }

    /// Returns the name in logs and metrics, such as `retries_exhausted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DropReason::BeforeFailed => "before_failed",
            DropReason::Plugin => "plugin",
            DropReason::Middleware => "middleware",
            DropReason::Invalid => "invalid",
            DropReason::NoDestination => "no_destination",
            DropReason::QueueFull => "queue_full",
            DropReason::TooLarge => "too_large",
            DropReason::Rejected => "rejected",
            DropReason::Skipped => "skipped",
            DropReason::Unauthorized => "unauthorized",
            DropReason::RetriesExhausted => "retries_exhausted",
            DropReason::Expired => "expired",
            DropReason::TooOld => "too_old",
            DropReason::Panicked => "panicked",
            DropReason::Unavailable => "unavailable",
            DropReason::Closed => "closed",
            DropReason::Cancelled => "cancelled",
            DropReason::Disabled => "disabled",
            DropReason::Internal => "internal",
        }
    }
}

impl Serialize for DropReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The outcome of an event, at one destination or in total. It serializes as `"delivered"` or `{"dropped": REASON}`.
///
/// Exhaustive: an event is delivered or it is not. The reason of a drop is non-exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The destination took it. In total: at least one destination took it.
    Delivered,
    /// No destination took it.
    Dropped(DropReason),
}

impl Outcome {
    /// Returns whether the event was delivered.
    #[must_use]
    pub const fn is_delivered(self) -> bool {
        matches!(self, Outcome::Delivered)
    }

    /// Returns whether the event was lost: dropped, but not [on purpose](DropReason::is_deliberate).
    #[must_use]
    pub const fn is_failed(self) -> bool {
        matches!(self, Outcome::Dropped(reason) if !reason.is_deliberate())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Delivered => f.write_str("delivered"),
            Outcome::Dropped(reason) => write!(f, "dropped ({reason})"),
        }
    }
}

/// An error of user code that several events share.
pub(crate) type SharedError = Arc<dyn std::error::Error + Send + Sync>;

/// The reason why a destination did not take a batch. Its [source](std::error::Error::source) is the destination's own
/// error. `{:#}` displays it with its causes in one line.
pub struct DeliveryError {
    status: Option<StatusCode>,
    source: Option<CatchDrop<SharedError>>,
    body: Option<String>,
}

impl DeliveryError {
    /// The largest number of characters of a response's body that are kept.
    pub const MAX_BODY_CHARS: usize = 200;

    pub(crate) fn new(status: Option<StatusCode>, source: Option<SharedError>) -> Self {
        Self { status, source: source.map(CatchDrop::new), body: None }
    }

    pub(crate) fn with_body(self, body: Option<String>) -> Self {
        Self { body, ..self }
    }

    /// Makes an error of this crate.
    pub(crate) fn of(source: impl Into<BoxError>) -> Self {
        Self::new(None, Some(Arc::from(source.into())))
    }

    /// Returns the HTTP status, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns the beginning of the response's body, which often says what was wrong. It has at most
    /// [`MAX_BODY_CHARS`](Self::MAX_BODY_CHARS) characters, and is `None` if the response had no text or did not come
    /// in time. The server may repeat in it what it was sent. So neither `Display` nor `Debug` shows it.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

/// Compares the status, the body and the displayed texts. Errors of any type cannot be compared otherwise.
impl PartialEq for DeliveryError {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status && self.body == other.body && format!("{self:#}") == format!("{other:#}")
    }
}

impl Eq for DeliveryError {}

/// Leaves out the body, which may repeat personal data.
impl fmt::Debug for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryError")
            .field("status", &self.status)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Shows the status; with `{:#}` also the causes, in one line.
impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = match &self.source {
            Some(error) if f.alternate() => Some(supervise::text_with_causes(&***error)),
            _ => None,
        };
        match (&self.status, causes) {
            (Some(status), None) => write!(f, "HTTP status {status}"),
            (Some(status), Some(causes)) => write!(f, "HTTP status {status}: {causes}"),
            (None, Some(causes)) => f.write_str(&causes),
            (None, None) if self.source.is_some() => f.write_str("the attempt failed"),
            (None, None) => f.write_str("the destination refused the batch"),
        }
    }
}

/// Serializes as text in one line.
impl Serialize for DeliveryError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:#}"))
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source.as_ref() as _)
    }
}

/// The outcome of an event at one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DestinationOutcome {
    /// The destination's name.
    #[serde(serialize_with = "name")]
    pub destination: Arc<str>,
    /// The outcome there.
    pub outcome: Outcome,
    /// The last error of the destination, if there was one. For a [skipped](DropReason::Skipped) event it is the
    /// reason.
    #[serde(serialize_with = "error")]
    pub error: Option<Arc<DeliveryError>>,
}

/// Serializes a shared name.
pub(super) fn name<S: Serializer>(name: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}

fn error<S: Serializer>(error: &Option<Arc<DeliveryError>>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_deref().serialize(serializer)
}

/// The outcome of an event, as its callback, its [`Receipt`](crate::Receipt) and after plugins see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Settlement {
    /// The event's `messageId`.
    pub message_id: String,
    /// The outcome in total.
    pub outcome: Outcome,
    /// The outcome at each destination that should have got it.
    pub destinations: Vec<DestinationOutcome>,
}

impl Settlement {
    /// Returns whether at least one destination took the event.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.outcome.is_delivered()
    }
}
