//! The answer to a client, in words that every SDK of Segment understands.
//!
//! Success is 200 with `"success":true`. An error has a `code` and a `message`, without which the Python SDK raises.
//! 429 with `Retry-After` in whole seconds is the one answer for which every SDK keeps its events.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

/// Seconds of `Retry-After` that SDKs honour at most.
const MAX_RETRY_AFTER: u64 = 300;

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) error: Option<(&'static str, String)>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) rejected: Vec<Rejection>,
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

/// An event that was not taken while others of its request were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The rule, or another name for the reason.
    pub rule: &'static str,
    /// The problem.
    pub message: String,
}

/// A failure of the connection, in place of an answer or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A TCP reset.
    Reset,
    /// No answer, on a connection that stays open.
    Hang,
    /// One byte at a time, with this pause before each.
    Drip(Duration),
    /// An answer that announces more than it has, and ends.
    Truncated,
    /// Bytes that are no HTTP.
    Garbage,
}

impl Answer {
    /// 200: everything was taken.
    #[must_use]
    pub fn accepted() -> Self {
        Self::new(StatusCode::OK)
    }

    /// Answers 200, except that these events will not be taken however often they are sent.
    #[must_use]
    pub fn accepted_without(rejected: Vec<Rejection>) -> Self {
        Self { rejected, ..Self::accepted() }
    }

    /// An error. `code` is for programs, `message` for people.
    #[must_use]
    pub fn error(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { error: Some((code, message.into())), ..Self::new(status) }
    }

    /// An error that names the events which caused it.
    #[must_use]
    pub fn with_rejections(mut self, rejected: Vec<Rejection>) -> Self {
        self.rejected = rejected;
        self
    }

    /// Answers 429: come again after this time, in whole seconds, at least one and at most 300.
    #[must_use]
    pub fn come_again(after: Duration, message: impl Into<String>) -> Self {
        Self::error(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).retry_after(after)
    }

    /// Adds `Retry-After`, in whole seconds, at least one and at most 300.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        self.retry_after = Some(seconds.clamp(1, MAX_RETRY_AFTER));
        self
    }

    /// Waits this long before the answer.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Fails in this way. [`Fault::Reset`] and [`Fault::Garbage`] need this crate's [`Server`](crate::Server); behind
    /// another one the connection ends without an answer.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body, in JSON.
    #[must_use]
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            success: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<&'a str>,
            #[serde(skip_serializing_if = "<[Rejection]>::is_empty")]
            rejected: &'a [Rejection],
        }
        let error = self.error.as_ref();
        let body = Body {
            success: self.status.is_success(),
            code: error.map(|(code, _)| *code),
            message: error.map(|(_, message)| message.as_str()),
            rejected: &self.rejected,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    fn new(status: StatusCode) -> Self {
        Self { status, error: None, retry_after: None, rejected: Vec::new(), delay: Duration::ZERO, fault: None }
    }
}
