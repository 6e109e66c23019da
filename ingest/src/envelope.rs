//! From a body to events and the write key, without copying and without making a tree.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::value::RawValue;
use tracklane::Kind;
use tracklane::segment::rules::{Endpoint, Fields, Rule, check_body_size, check_event, check_place};

use crate::budget::Share;
use crate::decode::Undecodable;
use crate::elements::elements;
use crate::request::{Event, Head, Request};
use crate::rules::{self, Finding, Level};

/// What an event of a request takes in memory beside its JSON, at most: what is found in it, its way, its answer.
const EVENT_BYTES: usize = 512;

/// How a body is to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// Whether what is only suspicious is looked for, too.
    pub(crate) smells: bool,
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
    let fields = if is_metrics { None } else { Fields::parse(&body) };
    let batch = fields.filter(|_| kind.is_none()).and_then(|fields| fields.batch.raw());
    let batch = batch.filter(|raw| raw.starts_with('[')).map(|raw| elements(raw, opening.max_events)).transpose()?;
    share.take(batch.as_ref().map_or(1, Vec::len) * EVENT_BYTES)?;
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
    let Some(fields) = fields else {
        if !is_metrics {
            let message = "the body is not one JSON object".to_owned();
            request.findings.push(Finding::broken(Rule::MalformedJson, message));
        }
        return Ok(request);
    };
    request.sent_at = fields.sent_at.text().map(Into::into);
    if request.key.is_none() {
        request.key = key(fields);
    }
    match batch {
        Some(events) => {
            request.context = fields.context.raw().map(|raw| slice(&body, raw));
            request.integrations = fields.integrations.raw().map(|raw| slice(&body, raw));
            open_batch(&mut request, &body, &events, opening.smells);
        }
        None => request.events.push(event(body.clone(), fields, kind, opening.smells)),
    }
    Ok(request)
}

fn open_batch(request: &mut Request, body: &Bytes, events: &[&RawValue], smells: bool) {
    request.events.reserve_exact(events.len());
    for (index, raw) in events.iter().enumerate() {
        let raw = raw.get();
        let json = slice(body, raw);
        let mut event = match Fields::parse(raw.as_bytes()) {
            Some(fields) => {
                if request.key.is_none() {
                    request.key = key(fields);
                }
                event(json, fields, None, smells)
            }
            None => {
                let finding = Finding::broken(Rule::MalformedJson, format!("event {} is not an object", index + 1));
                Event { raw: json, kind: None, findings: vec![finding] }
            }
        };
        event.findings.extend(check_place(index).map(Finding::from));
        request.events.push(event);
    }
}

fn event(raw: Bytes, fields: Fields<'_>, kind: Option<Kind>, smells: bool) -> Event {
    let own = fields.kind.text().and_then(|name| Kind::from_name(&name));
    let mut findings: Vec<Finding> = check_event(&fields, kind, raw.len()).into_iter().map(Finding::from).collect();
    if smells {
        rules::smells(&fields, kind.or(own), &mut findings);
    }
    findings.sort_by_key(|finding| finding.level);
    Event { raw, kind: kind.or(own), findings }
}

fn slice(body: &Bytes, part: &str) -> Bytes {
    body.slice_ref(part.as_bytes())
}

fn key(fields: Fields<'_>) -> Option<String> {
    fields.write_key.text().filter(|key| !key.is_empty()).map(Into::into)
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
