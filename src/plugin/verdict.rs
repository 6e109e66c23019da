//! What a destination answers to a batch, and what follows from it.

use std::time::Duration;

use http::StatusCode;

use crate::error::BoxError;
use crate::ledger::DeliveryError;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The destination has it.
    Delivered,
    /// It failed this time: again after the backoff of the destination's [`RetryPolicy`](super::RetryPolicy).
    Retry,
    /// The destination asks for a pause: nothing is sent to it for this long, then the batch again. Spends no retry.
    Pause(Duration),
    /// It is too large: again in two halves, down to the single event that is to blame.
    Split,
    /// It may hold an event that spoils it: as [`Split`](Self::Split) if the destination has taken a batch before,
    /// otherwise as [`Reject`](Self::Reject), because then the fault may not lie with the events.
    SplitIfProven,
    /// It is refused for good.
    Reject,
    /// The credentials are refused, whatever the events are: dropped for good, and counted apart. `error` says so at
    /// once and then once a minute, rather than with every batch; see [`Answer::credentials`].
    Unauthorized,
}

/// A [`Verdict`] with what led to it. A destination's service answers with one, or with a verdict, or with `()`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// What becomes of the batch.
    pub verdict: Verdict,
    /// The HTTP status, if there was a response.
    pub status: Option<StatusCode>,
    /// What went wrong.
    pub error: Option<BoxError>,
    /// Which credentials were shown: a number that grows when they are changed.
    pub credentials: u64,
}

impl Answer {
    /// An answer with that verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, status: None, error: None, credentials: 0 }
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds what went wrong.
    #[must_use]
    pub fn error(mut self, error: impl Into<BoxError>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Adds which credentials were shown, for a destination whose credentials can be changed: a number that grows when
    /// they are. A refusal of new ones ([`Verdict::Unauthorized`]) is then reported at once.
    #[must_use]
    pub fn credentials(mut self, number: u64) -> Self {
        self.credentials = number;
        self
    }
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Self {
        Self::new(verdict)
    }
}

/// A service that answers nothing has delivered.
impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::new(Verdict::Delivered)
    }
}

impl Answer {
    pub(crate) fn into_error(self) -> DeliveryError {
        DeliveryError::new(self.status, self.error)
    }
}
