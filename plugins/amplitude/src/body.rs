//! The bodies of requests.

use std::time::SystemTime;

use http::HeaderValue;
use serde_json::Value;
use tracklane::event::Timestamp;
use tracklane_http::{Limits, Payload, Secret};

use crate::mapping::Target;

/// Bytes of a body that are not its items and not the key.
const FRAME: usize = 128;

/// Limits of Amplitude's documentation: 20 MB and 2,000 events for `/batch`, 1 MB and 2,000 mappings for `/usermap`. A
/// form may write three bytes for one.
pub(crate) fn limits(target: Target, key: &Secret) -> Limits {
    let frame = FRAME + key.expose().len();
    match target {
        Target::Batch => Limits::new(2_000, 20_000_000).frame(frame),
        Target::UserMap => Limits::new(2_000, 300_000).frame(frame),
    }
}

/// The body of a request with these items.
pub(crate) fn of(target: Target, key: &Secret, sent_at: SystemTime, items: &[impl AsRef<[u8]>]) -> Payload {
    match target {
        Target::Batch => events(key, sent_at, items),
        Target::UserMap => {
            let mappings = Payload::json_array(items);
            let text = String::from_utf8_lossy(mappings.bytes());
            Payload::form([("api_key", key.expose()), ("mapping", &*text)])
        }
    }
}

/// Ids may have any length: Amplitude's default of five characters refuses too many.
fn events(key: &Secret, sent_at: SystemTime, items: &[impl AsRef<[u8]>]) -> Payload {
    let mut body = Vec::with_capacity(items.iter().map(|item| item.as_ref().len() + 1).sum::<usize>() + FRAME);
    body.extend_from_slice(b"{\"api_key\":");
    body.extend_from_slice(Value::from(key.expose()).to_string().as_bytes());
    let sent_at = Timestamp::from(sent_at);
    let options = format!(",\"options\":{{\"min_id_length\":1}},\"client_upload_time\":\"{sent_at}\",\"events\":");
    body.extend_from_slice(options.as_bytes());
    body.extend_from_slice(Payload::json_array(items).bytes());
    body.push(b'}');
    Payload::new(HeaderValue::from_static("application/json"), body)
}
