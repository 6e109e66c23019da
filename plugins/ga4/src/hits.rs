//! Hits together in bodies: those of one client, user and set of user properties, as many as Google takes.

use std::collections::HashMap;
use std::ops::Range;

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
const USUAL_BYTES: usize = 1_024;

/// The hits of a batch as JSON, one behind the other.
pub(crate) struct Hits {
    json: Vec<u8>,
    places: Vec<Place>,
}

/// The place of a hit in that text.
struct Place {
    /// The index of its event in the batch.
    index: usize,
    /// Where the members of the request begin that say who it was, where the event begins behind them, and where it ends.
    who: usize,
    event: usize,
    end: usize,
    is_deduplicated: bool,
}

/// A hit as JSON.
#[derive(Clone, Copy)]
pub(crate) struct Written<'h> {
    /// The members of the request that say who it was, as an object.
    who: &'h [u8],
    event: &'h [u8],
    /// Whether Google de-duplicates it: a purchase or refund with a `transaction_id`.
    pub(crate) is_deduplicated: bool,
}

impl Hits {
    /// Room for the hits of so many events.
    pub(crate) fn with_capacity(events: usize) -> Self {
        Self { json: Vec::with_capacity(events * USUAL_BYTES), places: Vec::with_capacity(events) }
    }

    /// Writes the hit of the event at that index of the batch. Returns `false` if it is larger by itself than a request may
    /// be, and leaves it out.
    pub(crate) fn push_parts(&mut self, index: usize, parts: &HitParts<'_>) -> bool {
        let who = self.json.len();
        let json = &mut self.json;
        parts.who.write(json);
        let event = json.len();
        json.extend_from_slice(b"{\"name\":");
        Json::from(&*parts.name).write(json);
        json.extend_from_slice(b",\"params\":");
        parts.params.write(json);
        if let Some(micros) = parts.timestamp_micros {
            json.extend_from_slice(b",\"timestamp_micros\":");
            Json::from(micros).write(json);
        }
        json.push(b'}');
        let is_deduplicated = is_deduplicated(Some(&parts.name), || parts.params.has("transaction_id"));
        self.end(Place { index, who, event, end: self.json.len(), is_deduplicated })
    }

    /// Writes a hit that a hook has made, in the same way.
    pub(crate) fn push_hit(&mut self, index: usize, hit: &Hit) -> Result<bool, serde_json::Error> {
        let text = (serde_json::to_vec(&hit.who)?, serde_json::to_vec(&hit.event)?);
        let who = self.json.len();
        self.json.extend_from_slice(&text.0);
        let event = self.json.len();
        self.json.extend_from_slice(&text.1);
        let name = hit.event.get("name").and_then(Value::as_str);
        let has_id = || hit.event.get("params").is_some_and(|params| params.get("transaction_id").is_some());
        let is_deduplicated = is_deduplicated(name, has_id);
        Ok(self.end(Place { index, who, event, end: self.json.len(), is_deduplicated }))
    }

    fn end(&mut self, place: Place) -> bool {
        if place.end - place.who + FRAME > MOST_BYTES {
            self.json.truncate(place.who);
            return false;
        }
        self.places.push(place);
        true
    }

    /// Returns the hits, each with the index of its event in the batch.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (usize, Written<'_>)> {
        let part = |from, to| self.json.get::<Range<usize>>(from..to).unwrap_or_default();
        self.places.iter().map(move |place| {
            let (who, event) = (part(place.who, place.event), part(place.event, place.end));
            (place.index, Written { who, event, is_deduplicated: place.is_deduplicated })
        })
    }
}

fn is_deduplicated(name: Option<&str>, has_id: impl FnOnce() -> bool) -> bool {
    matches!(name, Some("purchase" | "refund")) && has_id()
}

/// Hits of one request, each with the index of its event in the batch.
pub(crate) struct Together<'h> {
    pub(crate) hits: Vec<(usize, Written<'h>)>,
    bytes: usize,
}

impl Together<'_> {
    /// The indexes of their events.
    pub(crate) fn events(&self) -> impl Iterator<Item = usize> {
        self.hits.iter().map(|(event, _)| *event)
    }
}

/// Puts hits together. Those of one person stay in their order.
pub(crate) fn together(hits: &Hits) -> Vec<Together<'_>> {
    let hits = hits.iter();
    let mut requests: Vec<Together<'_>> = Vec::with_capacity(hits.len());
    // The last request of each person.
    let mut last: HashMap<&[u8], usize> = HashMap::with_capacity(hits.len());
    for (event, hit) in hits {
        let (bytes, next) = (hit.event.len() + 1, requests.len());
        let at = last.entry(hit.who).or_insert(next);
        match requests.get_mut(*at) {
            Some(request) if request.hits.len() < MOST_EVENTS && request.bytes + bytes <= MOST_BYTES => {
                request.hits.push((event, hit));
                request.bytes += bytes;
            }
            _ => {
                *at = next;
                let bytes = hit.who.len() + FRAME + bytes;
                requests.push(Together { hits: vec![(event, hit)], bytes });
            }
        }
    }
    requests
}

/// The body of a request: who it was, and the events.
pub(crate) fn payload(hits: &[(usize, Written<'_>)]) -> Payload {
    let bytes = hits.iter().map(|(_, hit)| hit.event.len() + 1).sum::<usize>();
    let who = hits.first().map_or(&b"{}"[..], |(_, hit)| hit.who);
    let mut body = Vec::with_capacity(who.len() + FRAME + bytes);
    // The object goes on: its last byte is the brace.
    body.extend_from_slice(who.strip_suffix(b"}").unwrap_or(who));
    body.extend_from_slice(if who == b"{}" { b"\"events\":[" } else { b",\"events\":[" });
    for (index, (_, hit)) in hits.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(hit.event);
    }
    body.extend_from_slice(b"]}");
    Payload::new(HeaderValue::from_static("application/json"), body)
}
