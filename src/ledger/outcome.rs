//! How an event ends.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::error::BoxError;
use crate::supervise::{self, CatchDrop};

/// Why an accepted event was not delivered. It is serialized as [its name](Self::as_str).
///
/// Non-exhaustive: there may come to be another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A before plugin failed, panicked or ran out of time; before fails closed.
    BeforeFailed,
    /// A plugin dropped the event on purpose.
    Plugin,
    /// Source middleware did not pass the event on, or made it unfit to be sent.
    Middleware,
    /// A plugin made the event what cannot be sent, such as one without an id; the signal `error` says what is wrong.
    Invalid,
    /// No destination is to have the event: `integrations` and kinds select none, or none was ever registered.
    NoDestination,
    /// The destination's queue was full.
    QueueFull,
    /// The event was too large, after plugins had changed it or for the destination.
    TooLarge,
    /// The destination refused the event for good.
    Rejected,
    /// The destination can take no such event, as one that knows no groups cannot take a group call. Why is in the
    /// [`error`](DestinationOutcome::error) of the event's outcome there.
    Skipped,
    /// The destination refused its credentials, whatever the event was.
    Unauthorized,
    /// Every attempt failed.
    RetriesExhausted,
    /// The destination did not take the event within the longest time that retries or rate limiting may last.
    Expired,
    /// The event was older than the destination takes: see [`Destination::max_age`](crate::plugin::Destination::max_age).
    TooOld,
    /// The destination panicked.
    Panicked,
    /// The destination that is to have the event could not be loaded, can take no more, or was deregistered before it
    /// took this one.
    Unavailable,
    /// The client was closed, or the runtime that it works on ended, before the event was delivered.
    Closed,
    /// The pipeline was driven by hand ([`Analytics::pipeline`](crate::Analytics::pipeline)), and the event's future
    /// was dropped before it ended.
    Cancelled,
    /// The destination or the client is disabled ([`Builder::disable`](crate::Builder::disable),
    /// [`Builder::disable_all`](crate::Builder::disable_all)).
    Disabled,
    /// The pipeline lost the event. It never should: please report it.
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

    /// Whether it is as it should be: a plugin dropped the event, no destination is selected for it or registered, the
    /// destination can take no such event, or the client is disabled. Any other reason is a loss, so also that the
    /// destination to have it could not be loaded.
    #[must_use]
    pub const fn is_deliberate(self) -> bool {
        matches!(self, DropReason::Plugin | DropReason::NoDestination | DropReason::Skipped | DropReason::Disabled)
    }

    /// The name in logs and metrics, such as `retries_exhausted`.
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

/// How an event ended, at one destination or altogether. It is serialized as `"delivered"` or `{"dropped": REASON}`.
///
/// Exhaustive: an event is delivered or it is not, and the reason of the second is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
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

    /// Whether the event was lost: dropped, and not because somebody [asked for it](DropReason::is_deliberate).
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

/// Why a destination did not take a batch. Its [source](std::error::Error::source) is the destination's own error; with
/// `{:#}` it is displayed in one line with all causes.
pub struct DeliveryError {
    status: Option<StatusCode>,
    source: Option<CatchDrop<SharedError>>,
    body: Option<String>,
}

impl DeliveryError {
    /// Characters of a response's body that are kept.
    pub const MAX_BODY_CHARS: usize = 200;

    pub(crate) fn new(status: Option<StatusCode>, source: Option<SharedError>) -> Self {
        Self { status, source: source.map(CatchDrop::new), body: None }
    }

    pub(crate) fn with_body(self, body: Option<String>) -> Self {
        Self { body, ..self }
    }

    /// Makes the error of what went wrong here.
    pub(crate) fn of(source: impl Into<BoxError>) -> Self {
        Self::new(None, Some(Arc::from(source.into())))
    }

    /// The HTTP status, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The beginning of the response's body, which often says what was wrong; at most
    /// [`MAX_BODY_CHARS`](Self::MAX_BODY_CHARS) characters, and none where the response had no text or did not come in
    /// time. It is a text of the server's, which may repeat what it was sent, so neither `Display` nor `Debug` shows it.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

/// Without the body, which may repeat what is nobody's business.
impl fmt::Debug for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryError")
            .field("status", &self.status)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The status; with `{:#}` in one line with its causes.
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

/// As text in one line.
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

/// How an event ended at one destination.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DestinationOutcome {
    /// The destination's name.
    #[serde(serialize_with = "name")]
    pub destination: Arc<str>,
    /// What became of the event there.
    pub outcome: Outcome,
    /// The last error of the destination, if there was one; of a [skipped](DropReason::Skipped) event the reason.
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

/// The end of an event, as its callback, its [`Receipt`](crate::Receipt) and after plugins see it.
#[derive(Clone, Debug, Serialize)]
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
