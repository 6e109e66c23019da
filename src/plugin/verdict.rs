//! The answer of a destination to a batch.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::error::BoxError;
use crate::ledger::{DeliveryError, SharedError};

/// The verdict of a destination on a batch.
///
/// Non-exhaustive: destinations make verdicts, and only the lane reads them, so another one may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Delivered: the destination took it.
    Delivered,
    /// Failed for now: try again after the backoff of the destination's [`RetryPolicy`](super::RetryPolicy).
    Retry,
    /// The destination asks for a pause: send nothing for this long, then the batch again. Spends no retry.
    Pause(Duration),
    /// Too large: try again in two halves, down to the single event that causes it.
    Split,
    /// May hold an event that spoils it: [`Split`](Self::Split). A destination that has not taken any batch yet may
    /// refuse them all, because of its settings. So only the first 64 batches are split until it takes one; the others
    /// are dropped as with [`Reject`](Self::Reject).
    SplitIfProven,
    /// Refused for good.
    Reject,
    /// The destination has no such event, for example no aliases. It counts as neither delivered nor lost, but as
    /// [`DropReason::Skipped`](crate::DropReason::Skipped), which is no failure. Give the reason with [`Answer::skip`].
    Skip,
    /// The credentials are refused, whatever the events are: the batch is dropped. The signal `error` reports it at
    /// once and then once a minute, not for every batch; see [`Answer::with_credentials`].
    Unauthorized,
}

/// A [`Verdict`] with its cause. The service of a destination responds with an answer, a verdict, or `()`.
///
/// It applies to the whole batch, except for events that have an answer of their own:
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
    /// Events with an answer of their own, by their index in the batch. The last one of an index counts.
    pub(crate) events: Vec<(usize, Answer)>,
}

impl Answer {
    /// Makes an answer with that verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, status: None, error: None, body: None, credentials: 0, events: Vec::new() }
    }

    /// Makes an answer to a batch of which some events have an answer of their own: their index in the batch, from 0,
    /// and that answer. If one event has several, the last counts. An index that the batch does not have is ignored.
    ///
    /// Each event is then settled by its own answer. Events to be tried again ([`Retry`](Verdict::Retry),
    /// [`Pause`](Verdict::Pause)) become one smaller batch, after the longest of their pauses. An answer without an
    /// error or a status takes those of the whole.
    #[must_use]
    pub fn each<A: Into<Self>>(batch: impl Into<Self>, events: impl IntoIterator<Item = (usize, A)>) -> Self {
        let mut answer = batch.into();
        answer.events.extend(events.into_iter().map(|(index, event)| (index, event.into())));
        answer
    }

    /// Makes an answer for events that this destination does not have, with the reason. See [`Verdict::Skip`].
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

    /// Adds the beginning of the response's body, which often says what is wrong. The first
    /// [`MAX_BODY_CHARS`](crate::DeliveryError::MAX_BODY_CHARS) characters are kept. No message and no log shows them,
    /// because some servers repeat there what they were sent. [`DeliveryError::body`] returns them.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let kept: String = text.trim().chars().take(DeliveryError::MAX_BODY_CHARS).collect();
        self.body = Some(kept).filter(|kept| !kept.is_empty());
        self
    }

    /// Adds the number of the credentials that were used, for a destination whose credentials can be changed. It grows
    /// with each change, and a refusal ([`Verdict::Unauthorized`]) of newer credentials is reported at once.
    #[must_use]
    pub fn with_credentials(mut self, number: u64) -> Self {
        self.credentials = number;
        self
    }

    /// Returns the verdict on the batch, or on its events without an answer of their own.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns the verdict on the event at that index of the batch.
    #[must_use]
    pub fn verdict_of(&self, index: usize) -> Verdict {
        self.event(index).map_or(self.verdict, |event| event.verdict)
    }

    /// Returns the event's own answer, if it has one.
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

/// A service that answers `()` has delivered.
impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::new(Verdict::Delivered)
    }
}
