//! A request: the events as they were sent, and the data around them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tracklane::Kind;
use tracklane::segment::rules::{Endpoint, Fields};

use crate::budget::Share;
use crate::rules::{Finding, Level};
use crate::{Answer, Rejection};

/// One request with its events, for the service that decides about them.
///
/// Its bytes count for [`max_total_bytes`](crate::Limits::max_total_bytes) until it, and every clone of it, is dropped.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The write key: from Basic authorization, otherwise from its place in the body.
    pub key: Option<String>,
    /// The events, in the order in which they were sent.
    pub events: Vec<Event>,
    /// The `context` around a batch, which belongs to each event that has not the same members itself.
    pub context: Option<Bytes>,
    /// The `integrations` around a batch, likewise.
    pub integrations: Option<Bytes>,
    /// The `sentAt` of the body, which is that of a single event.
    pub sent_at: Option<String>,
    /// Findings about the request as a whole.
    pub findings: Vec<Finding>,
    /// The head.
    pub head: Head,
    /// The body, uncompressed.
    pub body: Bytes,
    /// What it has taken of the budget.
    pub(crate) _share: Arc<Share>,
}

/// One event as it was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// Its JSON, a slice of the body.
    pub raw: Bytes,
    /// The type: that of the path, otherwise its own.
    pub kind: Option<Kind>,
    /// Findings about the event.
    pub findings: Vec<Finding>,
}

/// The head of a request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// The kind of the path; `None` for a pixel.
    pub endpoint: Option<Endpoint>,
    /// All headers, secrets included.
    pub headers: HeaderMap,
    /// Bytes of the body as they came.
    pub wire_bytes: usize,
    /// Set if they were compressed with gzip.
    pub gzip: bool,
    /// The number of earlier attempts, by the header `X-Retry-Count`.
    pub retry_count: u32,
    /// The address of the client, if the router runs in this crate's [`Server`](crate::Server).
    pub peer: Option<SocketAddr>,
}

impl Event {
    /// Its members, found anew.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::parse(&self.raw).unwrap_or_default()
    }

    /// The gravest thing that is wrong with it.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).min()
    }
}

impl Request {
    /// Returns Segment's answer: 400 to bodies that are too large or not JSON, and 200 to all else.
    #[must_use]
    pub fn as_segment(&self) -> Answer {
        self.refusing(Level::Refused)
    }

    /// Returns 400 also for events that Segment would answer with 200 and discard, with a reason for each.
    #[must_use]
    pub fn strictly(&self) -> Answer {
        self.refusing(Level::Discarded)
    }

    /// 400 if an event, or the whole, has something wrong that is at least as grave as this.
    fn refusing(&self, level: Level) -> Answer {
        let grave = |finding: &&Finding| finding.level <= level;
        let rejected: Vec<Rejection> = self
            .events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| {
                let finding = event.findings.iter().find(grave)?;
                Some(Rejection { index, rule: finding.rule, message: finding.message.clone() })
            })
            .collect();
        let whole = self.findings.iter().find(grave);
        let first = rejected.first().map(|rejection| (rejection.rule, rejection.message.as_str()));
        let Some((rule, message)) = whole.map(|finding| (finding.rule, finding.message.as_str())).or(first) else {
            return Answer::accepted();
        };
        let code = if rule.ends_with("-too-large") { "too_large" } else { "invalid_request" };
        Answer::error(StatusCode::BAD_REQUEST, code, message).with_rejections(rejected)
    }
}

/// Hides the events, the key and the headers.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("head", &self.head).field("events", &self.events.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind).field("bytes", &self.raw.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("wire_bytes", &self.wire_bytes)
            .finish_non_exhaustive()
    }
}
