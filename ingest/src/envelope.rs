//! From a body to events and the write key, without copying and without making a tree.
//!
//! The body is read once. An event is read again only if its rules are to be checked, or the write key is looked for in it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::value::RawValue;
use tracklane::Kind;
use tracklane::segment::rules::{
    Endpoint, Fields, Member, Rule, check_body_size, check_event, check_event_size, check_place,
};

use crate::body::Body;
use crate::budget::Share;
use crate::decode::Undecodable;
use crate::request::{Event, Head, Request};
use crate::rules::{self, Finding, Level};

/// What an event of a request takes in memory beside its JSON, at most: what is found in it, its way, its answer.
const EVENT_BYTES: usize = 512;

/// How far events are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// For what Segment refuses or discards, and for what is only suspicious.
    RulesAndSmells,
    /// For what Segment refuses or discards.
    Rules,
    /// Not at all.
    SizeOnly,
}

/// How a body is to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) checks: Checks,
    /// Events of one body at most.
    pub(crate) max_events: usize,
}

/// The request that a body is, with everything that is wrong with it. `share` is what the body has taken of the budget.
pub(crate) fn open(head: Head, body: Bytes, opening: Opening, mut share: Share) -> Result<Request, Undecodable> {
    let kind = match head.endpoint {
        Some(Endpoint::Single(kind)) => Some(kind),
        _ => None,
    };
    let is_metrics = head.endpoint == Some(Endpoint::Metrics);
    let most = kind.is_none().then_some(opening.max_events);
    let around = if is_metrics { None } else { Body::parse(&body, most)? };
    let events = around.as_ref().and_then(|around| around.batch.as_ref()).map_or(1, Vec::len);
    share.take(events * EVENT_BYTES)?;
    let mut request = Request {
        key: basic_key(&head.headers),
        events: Vec::new(),
        context: None,
        integrations: None,
        sent_at: None,
        findings: check_body_size(body.len()).map(Finding::from).into_iter().collect(),
        head,
        body: body.clone(),
        _share: Arc::new(share),
    };
    let Some(around) = around else {
        if !is_metrics {
            let message = "the body is not one JSON object".to_owned();
            request.findings.push(Finding::broken(Rule::MalformedJson, message));
        }
        return Ok(request);
    };
    request.sent_at = around.sent_at.text().map(Into::into);
    if request.key.is_none() {
        request.key = key(around.write_key);
    }
    match around.batch {
        Some(events) => {
            request.context = around.context.raw().map(|raw| slice(&body, raw));
            request.integrations = around.integrations.raw().map(|raw| slice(&body, raw));
            open_batch(&mut request, &body, &events, opening.checks);
        }
        None => request.events.push(event(body, kind, opening.checks)),
    }
    Ok(request)
}

fn open_batch(request: &mut Request, body: &Bytes, events: &[&RawValue], checks: Checks) {
    request.events.reserve_exact(events.len());
    for (index, raw) in events.iter().enumerate() {
        let raw = raw.get();
        if request.key.is_none() {
            request.key = Fields::parse(raw.as_bytes()).and_then(|fields| key(fields.write_key));
        }
        let mut event = event(slice(body, raw), None, checks);
        if let Some(not_an_object) = event.findings.iter_mut().find(|found| found.rule == Rule::MalformedJson.name()) {
            not_an_object.message = format!("event {} is not an object", index + 1);
        }
        event.findings.extend(check_place(index).map(Finding::from));
        request.events.push(event);
    }
}

fn event(raw: Bytes, kind: Option<Kind>, checks: Checks) -> Event {
    if checks == Checks::SizeOnly && raw.trim_ascii_start().starts_with(b"{") {
        let findings = check_event_size(raw.len()).map(Finding::from).into_iter().collect();
        return Event { raw, kind, findings };
    }
    let Some(fields) = Fields::parse(&raw) else {
        let finding = Finding::broken(Rule::MalformedJson, "the event is not an object".to_owned());
        return Event { raw, kind: None, findings: vec![finding] };
    };
    let own = fields.kind.text().and_then(|name| Kind::from_name(&name));
    let mut findings: Vec<Finding> = check_event(&fields, kind, raw.len()).into_iter().map(Finding::from).collect();
    if checks == Checks::RulesAndSmells {
        rules::smells(&fields, kind.or(own), &mut findings);
    }
    findings.sort_by_key(|finding| finding.level);
    Event { kind: kind.or(own), findings, raw }
}

fn slice(body: &Bytes, part: &str) -> Bytes {
    body.slice_ref(part.as_bytes())
}

fn key(write_key: Member<'_>) -> Option<String> {
    write_key.text().filter(|key| !key.is_empty()).map(Into::into)
}

/// The user name of Basic authorization.
fn basic_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let encoded = encoded.trim();
    let decoded = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let key = decoded.split(':').next().unwrap_or_default();
    (!key.is_empty()).then(|| key.to_owned())
}

impl Finding {
    fn broken(rule: Rule, message: String) -> Self {
        Self { rule: rule.name(), level: Level::Refused, property: None, message, fix: rule.fix() }
    }
}
