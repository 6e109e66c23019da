//! From events to a body: a pure function.

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane_http::Payload;

/// The format of several events in one body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// A JSON array (`application/json`).
    #[default]
    Array,
    /// One a line (`application/x-ndjson`).
    Ndjson,
}

/// Changes an item before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Value) + Send + Sync;

/// Writes one event: `{"type", "timestamp", "data"}` with the event's JSON, byte by byte, as `data`; or the result of
/// `map`. A missing time is left out.
pub(crate) fn item(event: &Event, json: &[u8], map: Option<&MapEvent>) -> Result<Vec<u8>, serde_json::Error> {
    let mut item = Vec::with_capacity(json.len() + 72);
    item.extend_from_slice(b"{\"type\":\"");
    item.extend_from_slice(event.kind().as_str().as_bytes());
    item.push(b'"');
    if let Some(timestamp) = event.timestamp() {
        item.extend_from_slice(format!(",\"timestamp\":\"{timestamp}\"").as_bytes());
    }
    item.extend_from_slice(b",\"data\":");
    item.extend_from_slice(json);
    item.push(b'}');
    let Some(map) = map else { return Ok(item) };
    let mut value = serde_json::from_slice(&item)?;
    map(event, &mut value);
    serde_json::to_vec(&value)
}

/// The body of a request with those items.
pub(crate) fn payload(items: Vec<Vec<u8>>, format: Option<Format>) -> Payload {
    match format {
        Some(Format::Array) => Payload::json_array(&items),
        Some(Format::Ndjson) => Payload::ndjson(&items),
        None => {
            let json = http::HeaderValue::from_static("application/json");
            Payload::new(json, items.into_iter().next().unwrap_or_default())
        }
    }
}
