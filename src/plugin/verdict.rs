//! The answer of a destination to a batch.

use std::time::Duration;

use http::StatusCode;

use crate::error::BoxError;
use crate::ledger::DeliveryError;

/// Decides what becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Delivered: the destination has it.
    Delivered,
    /// Failed this time: tried again after the backoff of the destination's [`RetryPolicy`](super::RetryPolicy).
    Retry,
    /// The destination asks for a pause: nothing is sent to it for this long, then the batch again. Spends no retry.
    Pause(Duration),
    /// Too large: tried again in two halves, down to the single event that is to blame.
    Split,
    /// May hold an event that spoils it: as [`Split`](Self::Split) if the destination has taken a batch before,
    /// otherwise as [`Reject`](Self::Reject), because then the fault may not lie with the events.
    SplitIfProven,
    /// Refused for good.
    Reject,
    /// The credentials are refused, whatever the events are: dropped for good, and counted apart. The signal `error`
    /// says so at once and then once a minute, rather than with every batch; see [`Answer::with_credentials`].
    Unauthorized,
}

/// A [`Verdict`] with what led to it. The response of a destination's service is one, or a verdict, or `()`.
#[derive(Debug)]
pub struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) status: Option<StatusCode>,
    pub(crate) error: Option<BoxError>,
    /// The beginning of the response's body.
    pub(crate) body: Option<String>,
    /// The number of the credentials that were used.
    pub(crate) credentials: u64,
}

impl Answer {
    /// Makes an answer with that verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, status: None, error: None, body: None, credentials: 0 }
    }

    /// Adds the HTTP status of the response.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds the error that led to the verdict.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<BoxError>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Adds the beginning of the response's body, which often says what is wrong. Of longer text the first
    /// [`MAX_BODY_CHARS`](crate::DeliveryError::MAX_BODY_CHARS) characters are kept. It is in no message and no log, because
    /// some servers repeat there what they were sent: [`DeliveryError::body`] has it.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let kept: String = text.trim().chars().take(DeliveryError::MAX_BODY_CHARS).collect();
        self.body = Some(kept).filter(|kept| !kept.is_empty());
        self
    }

    /// Adds the number of the credentials that were used. For a destination whose credentials can be changed: it grows
    /// with each change, and a refusal ([`Verdict::Unauthorized`]) of newer ones is reported at once.
    #[must_use]
    pub fn with_credentials(mut self, number: u64) -> Self {
        self.credentials = number;
        self
    }

    /// Returns the verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns the HTTP status, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns the error that led to the verdict.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.error.as_deref()
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
        DeliveryError::new(self.status, self.error).with_body(self.body)
    }
}
