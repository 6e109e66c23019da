//! A request as the server received it.
//!
//! Cheap to clone. All clones share one record, so an early clone also learns how the request was answered. Only the
//! head is parsed before somebody asks for more.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::coding;
use super::http1::Head;
use crate::segment::rules::raw_events;

const UNANSWERED: u16 = 0;
/// It will have no answer.
const GIVEN_UP: u16 = 1;

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

    /// Returns the request method.
    pub fn method(&self) -> &Method {
        &self.received.head.method
    }

    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        self.received.head.uri.path()
    }

    /// Returns the query behind the `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.received.head.uri.query()
    }

    /// Returns all headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.received.head.headers
    }

    /// Returns the first header of this name, if it is there and is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Returns the body without the chunked transfer coding, but with its content coding: a body that a client
    /// compressed is still compressed.
    pub fn body(&self) -> &Bytes {
        &self.received.body
    }

    /// Returns the body as JSON, if it is JSON. A gzip body is decompressed before.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.decoded()?).ok()
    }

    /// Returns the events in the body: the members of `batch`, or otherwise the object itself. Empty if the body is not
    /// a JSON object. A gzip body is decompressed before.
    pub fn events(&self) -> Vec<Value> {
        let Some(body) = self.decoded() else { return Vec::new() };
        raw_events(&body)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|event| serde_json::from_str(event.get()).ok())
            .collect()
    }

    /// The write key: the user name of Basic authorization, or else the first `writeKey` in the body.
    pub fn write_key(&self) -> Option<String> {
        let key = self.header("authorization").and_then(basic_user);
        let key = key.or_else(|| Some(self.json()?.get("writeKey")?.as_str()?.to_owned()));
        let of_event = |event: &Value| Some(event.get("writeKey")?.as_str()?.to_owned());
        key.or_else(|| self.events().iter().find_map(of_event)).filter(|key| !key.is_empty())
    }

    fn decoded(&self) -> Option<Cow<'_, [u8]>> {
        coding::decoded(&self.received.head, self.body()).ok()
    }

    /// Returns the number of its connection, from 0 in the order in which they were accepted.
    pub fn connection(&self) -> usize {
        self.received.connection
    }

    /// Returns when its last byte was read.
    pub fn received_at(&self) -> Instant {
        self.received.at
    }

    /// Returns the status of its answer; `None` while it waits, and after a fault in place of an answer. It is set just
    /// before the last piece of the answer is written, so that a client that has its answer always finds it here.
    pub fn answered(&self) -> Option<u16> {
        match self.received.answered.load(Ordering::Acquire) {
            UNANSWERED | GIVEN_UP => None,
            status => Some(status),
        }
    }

    /// Whether it was answered, or will not be.
    pub(super) fn is_settled(&self) -> bool {
        self.received.answered.load(Ordering::Acquire) != UNANSWERED
    }

    /// Whether it was answered with a 2xx status.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.answered(), Some(200..=299))
    }

    /// Nobody answers it any more. An answer that it had stays.
    pub(super) fn give_up(&self) {
        let answered = &self.received.answered;
        let _ = answered.compare_exchange(UNANSWERED, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(super) fn set_answered(&self, status: u16) {
        self.received.answered.store(status, Ordering::Release);
    }

    /// Cached, because a waiting test asks again at every change.
    pub(super) fn event_count(&self) -> usize {
        *self.received.event_count.get_or_init(|| self.events().len())
    }
}

fn basic_user(authorization: &str) -> Option<String> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let user = String::from_utf8(decoded).ok()?.split(':').next()?.to_owned();
    (!user.is_empty()).then_some(user)
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
