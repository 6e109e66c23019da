//! The answer of a destination to a batch.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::error::BoxError;
use crate::ledger::{DeliveryError, SharedError};

/// Decides what becomes of a batch.
///
/// Non-exhaustive: destinations make verdicts, and only the lane reads them, so another one may come.
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
    /// Nothing that this destination can take, such as an alias where it knows none: neither delivered nor lost. It is
    /// counted apart ([`DropReason::Skipped`](crate::DropReason::Skipped)) and is no failure. Say why by
    /// [`Answer::skip`].
    Skip,
    /// The credentials are refused, whatever the events are: dropped for good, and counted apart. The signal `error`
    /// says so at once and then once a minute, rather than with every batch; see [`Answer::with_credentials`].
    Unauthorized,
}

/// A [`Verdict`] with what led to it. The response of a destination's service is one, or a verdict, or `()`.
///
/// It is about the whole batch, but for the events that have an answer of their own:
///
/// ```
/// use tracklane::plugin::{Answer, Verdict};
///
/// // The vendor stored the batch but for its third event, and wants the fourth again.
/// let refused = Answer::new(Verdict::Reject).with_error("event m3: `time` is in the future");
/// let answer = Answer::each(Verdict::Delivered, [(2, refused), (3, Verdict::Retry.into())]);
/// assert_eq!(answer.verdict_of(2), Verdict::Reject);
/// assert_eq!(answer.verdict_of(0), Verdict::Delivered);
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) status: Option<StatusCode>,
    pub(crate) error: Option<SharedError>,
    /// The beginning of the response's body.
    pub(crate) body: Option<String>,
    /// The number of the credentials that were used.
    pub(crate) credentials: u64,
    /// Events that have an answer of their own, by their index in the batch. The last one of an index counts.
    pub(crate) events: Vec<(usize, Answer)>,
}

impl Answer {
    /// Makes an answer with that verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, status: None, error: None, body: None, credentials: 0, events: Vec::new() }
    }

    /// Makes an answer to a batch of which some events have an answer of their own: their index in the batch, from 0, and
    /// that answer. Of several for one event the last counts. An index that the batch does not have is ignored.
    ///
    /// Each event goes its own way then. Those that must come again ([`Retry`](Verdict::Retry),
    /// [`Pause`](Verdict::Pause)) do so as one smaller batch; of several pauses the longest counts. An answer without
    /// an error or a status has those of the whole.
    #[must_use]
    pub fn each<A: Into<Self>>(batch: impl Into<Self>, events: impl IntoIterator<Item = (usize, A)>) -> Self {
        let mut answer = batch.into();
        answer.events.extend(events.into_iter().map(|(index, event)| (index, event.into())));
        answer
    }

    /// Makes an answer for what this destination can not take, and why. See [`Verdict::Skip`].
    #[must_use]
    pub fn skip(reason: impl Into<BoxError>) -> Self {
        Self::new(Verdict::Skip).with_error(reason)
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
        self.error = Some(Arc::from(error.into()));
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

    /// Returns the verdict on the batch, or on what is left of it beside the events that have their own.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns the verdict on the event at that index of the batch.
    #[must_use]
    pub fn verdict_of(&self, index: usize) -> Verdict {
        self.event(index).map_or(self.verdict, |event| event.verdict)
    }

    /// Returns the answer that the event at that index has for itself, if it has one.
    #[must_use]
    pub fn event(&self, index: usize) -> Option<&Answer> {
        self.events.iter().rev().find(|(event, _)| *event == index).map(|(_, answer)| answer)
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
