//! Makes the destination from checked settings.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Uri};
use tokio::sync::Semaphore;

use super::authorization::Authorization;
use super::endpoint::endpoint;
use super::http_client::{http_client, without_client};
#[cfg(feature = "oauth")]
use super::oauth::OAuth;
use super::upload::{MAX_COMPRESSING, MAX_DRAINS, Shared, Upload, VerdictTable};
use super::{Segment, payload, verdict};
use crate::error::SettingsError;
use crate::event::MAX_BATCH_BYTES;
use crate::plugin::{Batching, Destination};
use crate::transport::{Blocking, HttpClient};

impl Segment {
    /// Makes the destination.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting and its value, if a setting cannot be used.
    pub fn build(self) -> Result<Destination, SettingsError> {
        self.check()?;
        self.into_destination()
    }

    /// Makes the destination of settings that are [checked](Self::check).
    pub(crate) fn into_destination(mut self) -> Result<Destination, SettingsError> {
        let key_len = self.key.current().json.len();
        let (uri, user_agent) = (self.uri()?, self.user_agent_value()?);
        let headers = self.headers.iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?;
        let plaintext = uri.scheme() == Some(&Scheme::HTTP) && !self.oauth_needs_tls();
        let (given, proxy) = (self.http_client.take(), self.proxy.as_deref());
        let client = match self.disabled {
            true => without_client(),
            false => http_client(given, proxy, plaintext)?,
        };
        let authorization = self.authorization(&client, &user_agent)?;
        let verdict = self.verdict_table();
        let batching = self.batching(key_len);
        let Self { key, gzip, wraps, queue, .. } = self;
        let drains = Arc::new(Semaphore::new(MAX_DRAINS));
        let compressing = Blocking::new("tracklane-gzip", MAX_COMPRESSING);
        let shared = Arc::new(Shared {
            uri,
            key,
            key_len,
            authorization,
            user_agent,
            headers,
            verdict,
            gzip,
            compressing,
            drains,
        });
        let mut destination = Destination::new(&self.name, Upload { client, shared })
            .ignores_all(true)
            .batching(batching)
            .retry(self.retry)
            .max_in_flight(self.max_in_flight)
            .attempt_timeout(self.http_request_timeout)
            .disable(self.disabled);
        if let Some(limits) = queue {
            destination = destination.queue(limits);
        }
        // A wrapper such as a queue on disk would have nothing to do.
        let wraps = if self.disabled { Vec::new() } else { wraps };
        Ok(wraps.into_iter().fold(destination, |destination, wrap| wrap(destination)))
    }

    /// Returns the URL for batches.
    pub(super) fn uri(&self) -> Result<Uri, SettingsError> {
        endpoint("host", self.base_url()?, &self.path, self.allow_plaintext)
    }

    pub(super) fn user_agent_value(&self) -> Result<HeaderValue, SettingsError> {
        let text = &self.user_agent;
        HeaderValue::try_from(text)
            .map_err(|error| SettingsError::new("user_agent", text, "is not a header value").caused_by(error))
    }

    /// Returns the sizes of batches, for a write key of `key_len` bytes as JSON.
    fn batching(&self, key_len: usize) -> Batching {
        let batching = Batching::every(self.flush_at_or_default(), self.flush_interval)
            .max_bytes(MAX_BATCH_BYTES - payload::frame_len(key_len));
        if self.flush_at.is_some() { batching } else { batching.full_when_driven() }
    }

    /// Returns whether the client must speak TLS for the token server, even if the API does not.
    fn oauth_needs_tls(&self) -> bool {
        #[cfg(feature = "oauth")]
        return self.oauth.as_ref().is_some_and(OAuth::needs_tls);
        #[cfg(not(feature = "oauth"))]
        false
    }

    #[cfg(feature = "oauth")]
    fn authorization(&self, client: &HttpClient, user_agent: &HeaderValue) -> Result<Authorization, SettingsError> {
        match &self.oauth {
            Some(oauth) => {
                oauth.tokens(&self.name, client, user_agent, self.allow_plaintext).map(Authorization::bearer)
            }
            None => Ok(Authorization::Basic),
        }
    }

    #[cfg(not(feature = "oauth"))]
    fn authorization(&self, _: &HttpClient, _: &HeaderValue) -> Result<Authorization, SettingsError> {
        Ok(Authorization::Basic)
    }

    fn verdict_table(&mut self) -> Arc<VerdictTable> {
        if let Some(table) = self.verdict.take() {
            return table;
        }
        #[cfg(feature = "oauth")]
        if self.oauth.is_some() {
            return Arc::new(super::verdict_with_oauth);
        }
        Arc::new(verdict)
    }
}

/// Headers that the request itself sets.
const OWN_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-retry-count",
];

/// Reads a header that is added to every request.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), SettingsError> {
    let known = HeaderName::try_from(name)
        .map_err(|error| SettingsError::new("header", name, "is not the name of a header").caused_by(error))?;
    if OWN_HEADERS.contains(&known.as_str()) {
        return Err(SettingsError::new("header", name, "is set by the request itself"));
    }
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| SettingsError::new("header", name, "has a value that is not valid in a header"))?;
    value.set_sensitive(true);
    Ok((known, value))
}
