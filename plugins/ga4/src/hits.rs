//! Hits together in bodies: those of one client, user and set of user properties, as many as Google takes.

use std::collections::HashMap;

use http::HeaderValue;
use serde_json::Value;
use tracklane_http::{Json, Payload};

use crate::mapping::{Hit, HitParts};

/// Events of a request at most.
const MOST_EVENTS: usize = 25;
/// Bytes of a request at most: Google takes 130 kB.
const MOST_BYTES: usize = 130_000;
/// Bytes of a request that are neither who it was nor events.
const FRAME: usize = 16;
/// Bytes of most hits, so that they are written without growing.
const USUAL_BYTES: usize = 1_536;

/// A hit as JSON.
pub(crate) struct Written {
    /// The members of the request that say who it was, as an object, and behind it the event.
    json: Vec<u8>,
    /// Where the event begins.
    event: usize,
    /// Whether Google de-duplicates it: a purchase or refund with a `transaction_id`.
    pub(crate) is_deduplicated: bool,
}

impl Written {
    pub(crate) fn of_parts(parts: &HitParts<'_>) -> Self {
        let name = parts.event.get("name").and_then(Json::as_str);
        let has_id = parts.event.get("params").is_some_and(|params| params.get("transaction_id").is_some());
        let mut json = Vec::with_capacity(USUAL_BYTES);
        parts.who.write(&mut json);
        let event = json.len();
        parts.event.write(&mut json);
        Self { json, event, is_deduplicated: is_deduplicated(name, has_id) }
    }

    /// Writes a hit that a hook has made.
    pub(crate) fn of_hit(hit: &Hit) -> Result<Self, serde_json::Error> {
        let name = hit.event.get("name").and_then(Value::as_str);
        let has_id = hit.event.get("params").is_some_and(|params| params.get("transaction_id").is_some());
        let mut json = serde_json::to_vec(&hit.who)?;
        let event = json.len();
        serde_json::to_writer(&mut json, &hit.event)?;
        Ok(Self { json, event, is_deduplicated: is_deduplicated(name, has_id) })
    }

    /// Returns whether it is larger by itself than a request may be.
    pub(crate) fn is_too_large(&self) -> bool {
        self.json.len() + FRAME > MOST_BYTES
    }

    fn who(&self) -> &[u8] {
        self.json.get(..self.event).unwrap_or_default()
    }

    fn event(&self) -> &[u8] {
        self.json.get(self.event..).unwrap_or_default()
    }
}

fn is_deduplicated(name: Option<&str>, has_id: bool) -> bool {
    matches!(name, Some("purchase" | "refund")) && has_id
}

/// Hits of one request, each with the index of its event in the batch.
pub(crate) struct Together<'h> {
    pub(crate) hits: Vec<&'h Written>,
    pub(crate) events: Vec<usize>,
    bytes: usize,
}

/// Puts hits together. Those of one person stay in their order.
pub(crate) fn together(hits: &[(usize, Written)]) -> Vec<Together<'_>> {
    let mut requests: Vec<Together<'_>> = Vec::with_capacity(hits.len());
    // The last request of each person.
    let mut last: HashMap<&[u8], usize> = HashMap::with_capacity(hits.len());
    for (event, hit) in hits {
        let bytes = hit.event().len() + 1;
        let open = last.get(hit.who()).and_then(|at| requests.get_mut(*at));
        match open {
            Some(request) if request.hits.len() < MOST_EVENTS && request.bytes + bytes <= MOST_BYTES => {
                request.hits.push(hit);
                request.events.push(*event);
                request.bytes += bytes;
            }
            _ => {
                let bytes = hit.who().len() + FRAME + bytes;
                last.insert(hit.who(), requests.len());
                requests.push(Together { hits: vec![hit], events: vec![*event], bytes });
            }
        }
    }
    requests
}

/// The body of a request: who it was, and the events.
pub(crate) fn payload(hits: &[&Written]) -> Payload {
    let bytes = hits.iter().map(|hit| hit.event().len() + 1).sum::<usize>();
    let who = hits.first().map_or(&b"{}"[..], |hit| hit.who());
    let mut body = Vec::with_capacity(who.len() + FRAME + bytes);
    // The object goes on: its last byte is the brace.
    body.extend_from_slice(who.strip_suffix(b"}").unwrap_or(who));
    body.extend_from_slice(if who == b"{}" { b"\"events\":[" } else { b",\"events\":[" });
    for (index, hit) in hits.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(hit.event());
    }
    body.extend_from_slice(b"]}");
    Payload::new(HeaderValue::from_static("application/json"), body)
}
