//! What a destination answers to a batch, and what follows from it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::error::BoxError;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Answer {
    /// An answer with that verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, status: None, error: None }
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

/// What went wrong, in one line: the status, and the error with its causes.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.status, &self.error) {
            (Some(status), None) => write!(f, "HTTP status {status}"),
            (Some(status), Some(error)) => write!(f, "HTTP status {status}: {}", Causes(&**error)),
            (None, Some(error)) => write!(f, "{}", Causes(&**error)),
            (None, None) => write!(f, "{:?}", self.verdict),
        }
    }
}

struct Causes<'e>(&'e (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(source) = error.source() {
            write!(f, ": {source}")?;
            error = source;
        }
        Ok(())
    }
}
