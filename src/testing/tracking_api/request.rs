//! A request as the server received it.
//!
//! Cheap to clone: all clones share one record, so that a clone taken early also learns how the
//! request was answered. Nothing is parsed beyond the head until it is asked for.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::coding;
use super::http1::Head;
use crate::segment::rules::raw_events;

const UNANSWERED: u16 = 0;

/// A request that the [`TrackingApi`](super::TrackingApi) received.
#[derive(Clone)]
pub struct Request {
    received: Arc<Received>,
}

struct Received {
    head: Arc<Head>,
    body: Bytes,
    connection: usize,
    at: Instant,
    answered: AtomicU16,
    event_count: OnceLock<usize>,
}

impl Request {
    pub(super) fn new(head: Arc<Head>, body: Bytes, connection: usize) -> Request {
        Request {
            received: Arc::new(Received {
                head,
                body,
                connection,
                at: Instant::now(),
                answered: AtomicU16::new(UNANSWERED),
                event_count: OnceLock::new(),
            }),
        }
    }

    /// The request method.
    pub fn method(&self) -> &Method {
        &self.received.head.method
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.received.head.uri.path()
    }

    /// What follows the `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.received.head.uri.query()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.received.head.headers
    }

    /// The first header of this name, if it is there and is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The body, freed of the chunked transfer coding but not of any content coding: what a client
    /// compressed is still compressed.
    pub fn body(&self) -> &Bytes {
        &self.received.body
    }

    /// The body as JSON, if it is JSON. Decompressed before, if the request says that it is gzip.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.decoded()?).ok()
    }

    /// The events in the body: the members of `batch`, or else the object itself. Empty if the
    /// body is not a JSON object. Decompressed before, as for [`json`](Self::json).
    pub fn events(&self) -> Vec<Value> {
        let Some(body) = self.decoded() else { return Vec::new() };
        raw_events(&body)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|event| serde_json::from_str(event.get()).ok())
            .collect()
    }

    fn decoded(&self) -> Option<Cow<'_, [u8]>> {
        coding::decoded(&self.received.head, self.body()).ok()
    }

    /// The connection on which it came, numbered from 0 in the order in which they were accepted.
    pub fn connection(&self) -> usize {
        self.received.connection
    }

    /// When its last byte was read.
    pub fn received_at(&self) -> Instant {
        self.received.at
    }

    /// The status it was answered with; `None` while it waits and when a fault took the answer's
    /// place. Set just before the last piece of the answer is written, so that a client which has
    /// its answer always finds it here.
    pub fn answered(&self) -> Option<u16> {
        match self.received.answered.load(Ordering::Acquire) {
            UNANSWERED => None,
            status => Some(status),
        }
    }

    pub(super) fn set_answered(&self, status: u16) {
        self.received.answered.store(status, Ordering::Release);
    }

    /// Remembered, because a waiting test asks again whenever something has happened.
    pub(super) fn event_count(&self) -> usize {
        *self.received.event_count.get_or_init(|| self.events().len())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", self.method())
            .field("uri", &self.received.head.uri)
            .field("headers", self.headers())
            .field("body", self.body())
            .field("connection", &self.connection())
            .field("answered", &self.answered())
            .finish_non_exhaustive()
    }
}
