//! The body of a batch request.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::BoxError;
use crate::event::Timestamp;
use crate::plugin::Batch;
use crate::transport::Blocking;

/// Returns the length of a body without its events, for a write key of `key_len` bytes as JSON.
pub(super) const fn frame_len(key_len: usize) -> usize {
    br#"{"batch":[],"writeKey":,"sentAt":""}"#.len() + key_len + Timestamp::LEN
}

/// Writes the body: the events as they are, the write key as JSON, and `sentAt`. That is the time of the attempt, by
/// which Segment corrects the events' timestamps ([Spec: Common,
/// timestamps](https://segment.com/docs/connections/spec/common/#timestamps)).
pub(super) fn body(batch: &Batch, write_key: &[u8], sent_at: Timestamp) -> Bytes {
    let mut body = Vec::with_capacity(frame_len(write_key.len()) + batch.bytes() + batch.len());
    body.extend_from_slice(br#"{"batch":["#);
    for (index, message) in batch.messages().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(message.json());
    }
    body.extend_from_slice(br#"],"writeKey":"#);
    body.extend_from_slice(write_key);
    body.extend_from_slice(br#","sentAt":""#);
    sent_at.write(&mut body);
    body.extend_from_slice(br#""}"#);
    body.into()
}

/// Compresses the body with gzip at its fastest level, on a thread of its own, or here if there is none.
pub(super) async fn compress(threads: Option<&Blocking>, body: Bytes) -> Result<Bytes, BoxError> {
    let Some(threads) = threads else { return Ok(gzip(&body)?.into()) };
    let copy = body.clone();
    match threads.run(move || gzip(&copy)).await {
        Ok(compressed) => Ok(compressed?.into()),
        Err(_) => Ok(gzip(&body)?.into()),
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
