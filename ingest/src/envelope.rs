//! From a body to events and the write key, without copying and without making a tree.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::value::RawValue;
use tracklane::Kind;
use tracklane::segment::rules::{Endpoint, Fields, Rule, check_body_size, check_event, check_place};

use crate::request::{Event, Head, Request};
use crate::rules::{self, Finding, Level};

/// The request that a body is, with everything that is wrong with it.
///
/// `smells`: also looks for events that are only suspicious.
pub(crate) fn open(head: Head, body: Bytes, smells: bool) -> Request {
    let mut request = Request {
        key: basic_key(&head.headers),
        events: Vec::new(),
        context: None,
        integrations: None,
        sent_at: None,
        findings: check_body_size(body.len()).map(Finding::from).into_iter().collect(),
        head,
        body: body.clone(),
    };
    if request.head.endpoint == Some(Endpoint::Metrics) {
        return request;
    }
    let Some(fields) = Fields::parse(&body) else {
        let message = "the body is not one JSON object".to_owned();
        request.findings.push(Finding::broken(Rule::MalformedJson, message));
        return request;
    };
    request.sent_at = fields.sent_at.text().map(Into::into);
    if request.key.is_none() {
        request.key = key(fields);
    }
    let kind = match request.head.endpoint {
        Some(Endpoint::Single(kind)) => Some(kind),
        _ => None,
    };
    match fields.batch.array().filter(|_| kind.is_none()) {
        Some(events) => {
            request.context = fields.context.raw().map(|raw| slice(&body, raw));
            request.integrations = fields.integrations.raw().map(|raw| slice(&body, raw));
            open_batch(&mut request, &body, &events, smells);
        }
        None => request.events.push(event(body.clone(), fields, kind, smells)),
    }
    request
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
