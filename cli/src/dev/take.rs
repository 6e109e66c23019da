//! Processes a request: findings, the answer, and a place in the store, in this order.
//!
//! Invariant: an event is in the store before its request is answered, also if the answer is a fault.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, StatusCode};
use tracklane::Kind;
use tracklane::event::Timestamp;
use tracklane::segment::rules::{Endpoint, Fields, check_event};
use tracklane_ingest::rules::{Finding, Level, smells};
use tracklane_ingest::{Answer, Request};

use super::session;
use super::state::{AnswerMode, State};
use super::store::{Entry, RequestInfo};
use crate::filter::Places;

/// Characters of a header that are kept.
const HEADER_CHARS: usize = 500;

/// The service behind the tracking API.
pub(crate) async fn take(state: Arc<State>, mut request: Request) -> Result<Answer, Infallible> {
    let places = add_findings(&state, &mut request);
    let answer = answer(&state, &request);
    let answer = state.faults.apply(&request, answer);
    let entries = entries(&state, &request, &places, &answer);
    let rejected = if answer.status().is_success() { 0 } else { entries.len() as u64 };
    state.outlets.pass_on(&request, &entries);
    state.store.push(entries, rejected);
    Ok(answer)
}

/// Adds what only this server knows to be wrong. Returns where the members of each event stand: each is parsed once.
fn add_findings(state: &State, request: &mut Request) -> Vec<Places> {
    let unknown_key = state.unknown_key(request.key.as_deref());
    let mut events = std::mem::take(&mut request.events);
    let mut places = Vec::with_capacity(events.len());
    for event in &mut events {
        let mut findings = std::mem::take(&mut event.findings);
        if let Some(finding) = &unknown_key {
            findings.push(finding.clone());
        }
        findings.extend(request.findings.iter().cloned());
        if let Some(plan) = &state.plan
            && let Some(kind) = event.kind
        {
            plan.check(kind, &event.raw, &mut findings);
        }
        let fields = event.fields();
        places.push(Places::of_fields(&event.raw, &fields));
        state.session.smells(event.kind, &fields, &mut findings);
        if let Some(id) = fields.message_id.text().filter(|id| state.store.has_id(id)) {
            findings.push(session::repeated(&id));
        }
        findings.sort_by_key(|finding| finding.level);
        event.findings = findings;
    }
    request.events = events;
    places
}

fn answer(state: &State, request: &Request) -> Answer {
    if let Some(key) = state.unknown_key(request.key.as_deref())
        && state.answer == AnswerMode::Strict
    {
        return Answer::error(StatusCode::UNAUTHORIZED, "unauthorized", key.message);
    }
    match state.answer {
        AnswerMode::AsSegment => request.as_segment(),
        AnswerMode::Strict => request.strictly(),
    }
}

fn entries(state: &State, request: &Request, places: &[Places], answer: &Answer) -> Vec<Entry> {
    if request.head.endpoint == Some(Endpoint::Metrics) {
        return Vec::new();
    }
    let info = Arc::new(RequestInfo {
        method: request.head.method.to_string(),
        path: request.head.path.clone(),
        headers: state.shared_text(&header_lines(&request.head.headers)),
        bytes: request.head.wire_bytes,
        encoding: request.head.gzip.then_some("gzip"),
        events: request.events.len(),
        status: answer.status().as_u16(),
        attempt: request.head.retry_count,
        answer: answer.body(),
        key: request.key.as_deref().map(|key| state.shared_text(key)),
    });
    let at = Timestamp::from(SystemTime::now()).as_unix_millis();
    let events = request.events.iter().zip(places).map(|(event, places)| Entry {
        seq: 0,
        at,
        kind: event.kind,
        raw: event.raw.clone(),
        places: *places,
        findings: event.findings.clone().into(),
        request: Some(Arc::clone(&info)),
    });
    events.collect()
}

/// Makes the entry of an event that did not arrive here: the inspector of a client reported it.
pub(crate) fn told(state: &State, raw: Bytes) -> Entry {
    let fields = Fields::parse(&raw).unwrap_or_default();
    let kind = fields.kind.text().and_then(|name| Kind::from_name(&name));
    let mut findings: Vec<Finding> = check_event(&fields, kind, raw.len()).into_iter().map(Finding::from).collect();
    smells(&fields, kind, &mut findings);
    if let (Some(plan), Some(kind)) = (&state.plan, kind) {
        plan.check(kind, &raw, &mut findings);
    }
    findings.sort_by_key(|finding| finding.level);
    let at = Timestamp::from(SystemTime::now()).as_unix_millis();
    let places = Places::of_fields(&raw, &fields);
    Entry { seq: 0, at, kind, raw: raw.clone(), places, findings: findings.into(), request: None }
}

/// Returns the headers without secrets, and without those that are shown elsewhere.
fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        if name == http::header::CONTENT_LENGTH {
            continue;
        }
        let secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name);
        let value = if secret { masked(value) } else { shown(value) };
        lines.push_str(name.as_str());
        lines.push_str(": ");
        lines.push_str(&value);
        lines.push('\n');
    }
    lines
}

fn shown(value: &http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.chars().filter(|char| !char.is_control()).take(HEADER_CHARS).collect()
}

/// The scheme, and stars.
fn masked(value: &http::HeaderValue) -> String {
    let text = shown(value);
    match text.split_once(' ') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => format!("{scheme} ***"),
        _ => "***".to_owned(),
    }
}

/// The finding of a key that is none of those that the developer named.
pub(super) fn unknown_key(key: Option<&str>) -> Finding {
    let message = match key {
        Some(_) => "the write key is none of those that --write-key names",
        None => "there is no write key",
    };
    Finding {
        rule: "unknown-write-key",
        level: Level::Discarded,
        property: Some("writeKey".into()),
        message: message.to_owned(),
        fix: "Set the write key of this source: Segment answers 200 to a wrong one, and discards the events.",
    }
}
