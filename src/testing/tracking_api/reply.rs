//! The reply to one request: an answer or a fault.
//!
//! A [`Reply`] only describes; the connection carries it out. It is written to the socket as given, even if it is not
//! valid HTTP.

use std::time::Duration;

use bytes::Bytes;

use super::rules::Refusal;

const SUCCESS: &str = r#"{"success":true}"#;

/// The server's reaction to one request: an answer, or a fault in place of one.
///
/// ```
/// use std::time::Duration;
/// use tracklane::testing::Reply;
///
/// let overloaded = Reply::status(429).header("retry-after", "2").body("slow down");
/// let slow = Reply::ok().delay(Duration::from_secs(3));
/// let broken = Reply::ok().truncated();
/// # let _ = (overloaded, slow, broken);
/// ```
///
/// [`delay`](Self::delay) works for every reply but [`hang`](Self::hang). The other setters only affect replies that
/// write an answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) outcome: Outcome,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) delay: Duration,
    pub(super) drip: Option<Duration>,
    pub(super) truncated: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Outcome {
    AsSegment,
    Status(u16),
    Hang,
    Reset,
    Close,
    Garbage(Bytes),
}

impl Reply {
    /// Answers 200 with the body `{"success":true}`, whatever the request was.
    pub fn ok() -> Reply {
        Reply::status(200).body(SUCCESS)
    }

    /// Answers this status with an empty body.
    pub fn status(status: u16) -> Reply {
        Reply::new(Outcome::Status(status))
    }

    /// Answers as Segment does, by the rules of [`TrackingApi`](super::TrackingApi).
    pub fn as_segment() -> Reply {
        Reply::new(Outcome::AsSegment)
    }

    /// Reads the request, never answers, and keeps the connection open until the client closes
    /// its side or the server is dropped.
    pub fn hang() -> Reply {
        Reply::new(Outcome::Hang)
    }

    /// Resets the connection (TCP RST) in place of an answer, once the request was received.
    ///
    /// The last byte of the request is left in the socket's receive buffer, because on Linux and Windows closing a
    /// socket with unread data resets the connection. Elsewhere the client may see an orderly close. So it may if the
    /// server had begun to read the request before the first resetting reply, or a
    /// [`reply_with`](super::TrackingApi::reply_with) function, was set.
    pub fn reset() -> Reply {
        Reply::new(Outcome::Reset)
    }

    /// Closes the connection in an orderly way (TCP FIN) without an answer.
    pub fn close() -> Reply {
        Reply::new(Outcome::Close)
    }

    /// Writes these bytes where an HTTP response should be, then closes the connection.
    pub fn garbage(bytes: impl Into<Bytes>) -> Reply {
        Reply::new(Outcome::Garbage(bytes.into()))
    }

    fn new(outcome: Outcome) -> Reply {
        Reply { outcome, headers: Vec::new(), body: None, delay: Duration::ZERO, drip: None, truncated: false }
    }

    /// Adds a response header, as given. `Content-Length`, `Transfer-Encoding` and `Content-Type`
    /// replace those that the server would write; `Connection: close` also closes the connection.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the response body. It is called `application/json` unless a header says otherwise.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Reply {
        self.body = Some(body.into());
        self
    }

    /// Waits this long after the request was received before anything else is done.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Reply {
        self.delay = delay;
        self
    }

    /// Writes the response one byte at a time, with this much time between two bytes.
    #[must_use]
    pub fn drip(mut self, interval: Duration) -> Reply {
        self.drip = Some(interval);
        self
    }

    /// Announces a longer body than is sent, then closes the connection.
    ///
    /// The status line does arrive, so the request counts as answered with it.
    #[must_use]
    pub fn truncated(mut self) -> Reply {
        self.truncated = true;
        self
    }

    /// Carries out `AsSegment`. A body that was set stays.
    pub(super) fn judged(mut self, verdict: Result<(), Refusal>) -> Reply {
        let (status, body) = match verdict {
            Ok(()) => (200, SUCCESS),
            Err(refusal) => (refusal.status(), refusal.body()),
        };
        self = match verdict {
            Err(Refusal::NotPost) => self.header("allow", "POST"),
            Err(Refusal::UnknownCoding) => self.header("accept-encoding", "gzip"),
            _ => self,
        };
        self.outcome = Outcome::Status(status);
        self.body.get_or_insert(Bytes::from_static(body.as_bytes()));
        self
    }

    pub(super) fn resets(&self) -> bool {
        matches!(self.outcome, Outcome::Reset)
    }
}
