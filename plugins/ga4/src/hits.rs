//! Hits together in bodies: those of one client, user and set of user properties, as many as Google takes.

use serde_json::{Map, Value};
use tracklane_http::Payload;

use crate::mapping::Hit;

/// Events of a request at most.
const MOST_EVENTS: usize = 25;
/// Bytes of a request at most: Google takes 130 kB.
const MOST_BYTES: usize = 130_000;

/// Hits of one request, each with the index of its event in the batch.
pub(crate) struct Together<'h> {
    pub(crate) hits: Vec<&'h Hit>,
    pub(crate) events: Vec<usize>,
    bytes: usize,
}

/// Puts hits together. Those of one person stay in their order.
pub(crate) fn together(hits: &[(usize, Hit)]) -> Vec<Together<'_>> {
    let mut requests: Vec<Together<'_>> = Vec::new();
    for (event, hit) in hits {
        let bytes = hit.event.to_string().len() + 1;
        let open =
            requests.iter_mut().rev().find(|request| request.hits.first().is_some_and(|first| first.who == hit.who));
        match open {
            Some(request) if request.hits.len() < MOST_EVENTS && request.bytes + bytes <= MOST_BYTES => {
                request.hits.push(hit);
                request.events.push(*event);
                request.bytes += bytes;
            }
            _ => {
                let who = Value::from(hit.who.clone()).to_string().len();
                requests.push(Together { hits: vec![hit], events: vec![*event], bytes: who + 16 + bytes });
            }
        }
    }
    requests
}

/// Returns whether the hit by itself is larger than a request may be.
pub(crate) fn is_too_large(hit: &Hit) -> bool {
    Value::from(hit.who.clone()).to_string().len() + 16 + hit.event.to_string().len() > MOST_BYTES
}

/// The body of a request.
pub(crate) fn payload(hits: &[&Hit]) -> Result<Payload, serde_json::Error> {
    let mut body: Map<String, Value> = hits.first().map(|hit| hit.who.clone()).unwrap_or_default();
    body.insert("events".to_owned(), hits.iter().map(|hit| hit.event.clone()).collect());
    Payload::json(&body)
}
