//! One event that is kept, and how it looks in a list.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tracklane::Kind;
use tracklane::event::Timestamp;
use tracklane::segment::rules::Fields;
use tracklane_ingest::rules::{Finding, Level};

use super::traces::Summary;
use super::{Trace, Traces};
use crate::filter::{Places, Subject};

/// Bytes that an event costs beside its text: its head, where its members stand, its id, and its share of the request.
const OVERHEAD: u64 = 264;

/// An event as it arrived.
#[derive(Debug)]
pub(crate) struct Entry {
    /// In order of receipt, from 1.
    pub(crate) seq: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) kind: Option<Kind>,
    pub(crate) raw: Bytes,
    pub(crate) places: Places,
    pub(crate) findings: Box<[Finding]>,
    /// `None` if it did not arrive here, and a client's inspector told of it.
    pub(crate) request: Option<Arc<RequestInfo>>,
}

/// The request that an event came in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestInfo {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The headers without secrets.
    #[serde(serialize_with = "as_pairs")]
    pub(crate) headers: Arc<str>,
    pub(crate) bytes: usize,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) events: usize,
    pub(crate) status: u16,
    pub(crate) attempt: u32,
    pub(crate) answer: String,
    #[serde(skip)]
    pub(crate) key: Option<Arc<str>>,
}

/// Header lines, `name: value`, as pairs.
fn as_pairs<S: serde::Serializer>(headers: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(headers.lines().filter_map(|line| line.split_once(": ")))
}

impl Entry {
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::parse(&self.raw).unwrap_or_default()
    }

    pub(crate) fn message_id(&self) -> Option<Cow<'_, str>> {
        self.places.message_id(&self.raw)
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.request.as_ref()?.key.as_deref()
    }

    /// Whether it came by the tracking API.
    pub(crate) fn has_arrived(&self) -> bool {
        self.request.is_some()
    }

    /// Returns its weight in the bytes that are kept.
    pub(super) fn cost(&self) -> u64 {
        let findings: usize = self.findings.iter().map(|finding| 100 + finding.message.len()).sum();
        (self.raw.len() + findings) as u64 + OVERHEAD
    }

    pub(crate) fn level(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).min()
    }

    /// Returns the event for a filter that does not ask for paths.
    pub(crate) fn subject(&self) -> Subject<'_> {
        let mut subject = Subject::with_places(&self.raw, self.kind, self.places);
        subject.key = self.key();
        subject.findings = &self.findings;
        subject
    }

    /// As any filter sees it.
    pub(crate) fn subject_with_path<'a>(&'a self, traces: &'a Traces) -> Subject<'a> {
        let mut subject = self.subject();
        subject.path_state = self.message_id().and_then(|id| traces.get(&id)).map(Trace::state);
        subject
    }
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head<'a> {
    seq: u64,
    at: String,
    kind: Option<&'static str>,
    name: Option<Cow<'a, str>>,
    user_id: Option<Cow<'a, str>>,
    anonymous_id: Option<Cow<'a, str>>,
    message_id: Option<Cow<'a, str>>,
    key: Option<&'a str>,
    bytes: usize,
    findings: usize,
    level: Option<Level>,
    /// Whether it came by the tracking API, or is known by an inspector only.
    arrived: bool,
    path: Option<Summary>,
}

impl<'a> Head<'a> {
    pub(crate) fn new(entry: &'a Entry, traces: &Traces) -> Self {
        let (raw, places) = (&entry.raw[..], &entry.places);
        let message_id = places.message_id(raw);
        Self {
            seq: entry.seq,
            at: Timestamp::from_unix_millis(entry.at).to_string(),
            kind: entry.kind.map(Kind::as_str),
            name: places.name_of(raw, entry.kind),
            user_id: places.user_id(raw),
            anonymous_id: places.anonymous_id(raw),
            key: entry.key(),
            bytes: entry.raw.len(),
            findings: entry.findings.len(),
            level: entry.level(),
            arrived: entry.has_arrived(),
            path: message_id.as_deref().and_then(|id| traces.get(id)).map(Trace::summary),
            message_id,
        }
    }
}
