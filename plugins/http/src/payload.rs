//! The body of a request, with its type.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;
use serde::Serialize;

/// A body with its type: JSON, lines of JSON, or a form.
#[derive(Clone, Debug)]
#[must_use = "a payload does nothing until it is sent"]
pub struct Payload {
    bytes: Bytes,
    content_type: HeaderValue,
    gzip: bool,
}

impl Payload {
    /// A body of any type.
    pub fn new(content_type: HeaderValue, bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), content_type, gzip: false }
    }

    /// A value as JSON (`application/json`).
    ///
    /// # Errors
    ///
    /// Returns an error if the value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::new(HeaderValue::from_static("application/json"), serde_json::to_vec(value)?))
    }

    /// Makes an array of items that are JSON already (`application/json`).
    pub fn json_array(items: &[impl AsRef<[u8]>]) -> Self {
        let mut bytes = Vec::with_capacity(items.iter().map(|item| item.as_ref().len() + 1).sum::<usize>() + 2);
        bytes.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(item.as_ref());
        }
        bytes.push(b']');
        Self::new(HeaderValue::from_static("application/json"), bytes)
    }

    /// Makes lines of items that are JSON without line breaks already (`application/x-ndjson`).
    pub fn ndjson(items: &[impl AsRef<[u8]>]) -> Self {
        let mut bytes = Vec::with_capacity(items.iter().map(|item| item.as_ref().len() + 1).sum());
        for item in items {
            bytes.extend_from_slice(item.as_ref());
            bytes.push(b'\n');
        }
        Self::new(HeaderValue::from_static("application/x-ndjson"), bytes)
    }

    /// Names and values as a form (`application/x-www-form-urlencoded`).
    pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::new(HeaderValue::from_static("application/x-www-form-urlencoded"), text)
    }

    /// The same, compressed by gzip at its fastest level. On the calling thread: some milliseconds for half a megabyte.
    pub fn gzip(self) -> Self {
        if self.gzip {
            return self;
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(self.bytes.len() / 4), Compression::fast());
        // Writing to memory does not fail. If it did, the body would be sent uncompressed.
        let compressed = encoder.write_all(&self.bytes).and_then(|()| encoder.finish());
        match compressed {
            Ok(bytes) => Self { bytes: bytes.into(), gzip: true, ..self },
            Err(_) => self,
        }
    }

    /// The exact bytes that are sent.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The header `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &HeaderValue {
        &self.content_type
    }

    /// Returns whether the bytes are compressed.
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        self.gzip
    }
}
