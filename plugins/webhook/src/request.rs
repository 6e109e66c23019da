//! The request of one attempt: body, id, time and signatures.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use tracklane::{BoxError, Event};
use tracklane_http::{Payload, Secret};

use crate::body::{self, Format, MapEvent};
use crate::id;
use crate::secret::SigningSecret;
use crate::signature::{self, ID, SIGNATURE, TIMESTAMP};

/// The parts that a request is made with.
pub(crate) struct Signer {
    pub(crate) secrets: Vec<SigningSecret>,
    pub(crate) segment_signature: Option<Secret>,
    pub(crate) idempotency_key: bool,
    pub(crate) format: Option<Format>,
    pub(crate) gzip: bool,
    pub(crate) map: Option<Arc<MapEvent>>,
}

/// A request without its URL.
pub(crate) struct Signed {
    pub(crate) payload: Payload,
    pub(crate) headers: HeaderMap,
    /// The body before it was compressed.
    pub(crate) plain: Payload,
}

impl Signer {
    /// The request for events, each with its JSON, at the time of the attempt.
    pub(crate) fn sign<'a>(
        &self,
        events: impl IntoIterator<Item = (Event, Cow<'a, [u8]>)>,
        at: SystemTime,
    ) -> Result<Signed, BoxError> {
        let (mut items, mut ids) = (Vec::new(), Vec::new());
        for (event, json) in events {
            items.push(body::item(&event, &json, self.map.as_deref())?);
            ids.push(event.message_id().into_owned());
        }
        let id = match (self.format, ids.first()) {
            (None, Some(id)) => id::of_event(id),
            _ => id::of_batch(&ids),
        };
        let plain = body::payload(items, self.format);
        let payload = if self.gzip { plain.clone().gzip() } else { plain.clone() };
        let headers = self.headers(&id, at, payload.bytes())?;
        Ok(Signed { payload, headers, plain })
    }

    fn headers(&self, id: &str, at: SystemTime, body: &[u8]) -> Result<HeaderMap, BoxError> {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let timestamp = since.as_secs().to_string();
        let mut headers = HeaderMap::new();
        headers.insert(ID, HeaderValue::try_from(id)?);
        headers.insert(TIMESTAMP, HeaderValue::try_from(&timestamp)?);
        if !self.secrets.is_empty() {
            let signatures = signature::sign(&self.secrets, id, &timestamp, body).map_err(|error| error.to_string())?;
            headers.insert(SIGNATURE, HeaderValue::try_from(signatures)?);
        }
        if self.idempotency_key {
            headers.insert(HeaderName::from_static("idempotency-key"), HeaderValue::try_from(id)?);
        }
        if let Some(secret) = &self.segment_signature {
            let signature = signature::segment(secret.expose(), body).map_err(|error| error.to_string())?;
            headers.insert(HeaderName::from_static("x-signature"), HeaderValue::try_from(signature)?);
        }
        Ok(headers)
    }
}
