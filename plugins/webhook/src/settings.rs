//! The same settings as data, for a configuration file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracklane::plugin::Batching;
use tracklane_http::Secret;

use crate::body::Format;
use crate::method::Method;
use crate::webhook::Webhook;

/// [`Webhook`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_webhook::{Webhook, WebhookSettings};
///
/// let settings: WebhookSettings = serde_json::from_str(
///     r#"{
///         "url": "https://hooks.example/events",
///         "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
///         "headers": { "Authorization": "Bearer abc" },
///         "batch": { "events": 100, "interval_seconds": 5, "format": "ndjson" }
///     }"#,
/// )?;
/// let webhook = Webhook::from(settings);
/// println!("{}", webhook.explain(tracklane::Track::new("Ping").user_id("u1"), std::time::SystemTime::now())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// See [`Webhook::new`].
    pub url: Secret,
    /// See [`Webhook::name`].
    pub name: Option<String>,
    /// See [`Webhook::method`].
    #[serde(default)]
    pub method: Method,
    /// See [`Webhook::secret`].
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// See [`Webhook::unsigned`].
    #[serde(default)]
    pub unsigned: bool,
    /// See [`Webhook::segment_signature`].
    pub segment_signature: Option<Secret>,
    /// See [`Webhook::header`].
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// See [`Webhook::idempotency_key`].
    #[serde(default)]
    pub idempotency_key: bool,
    /// See [`Webhook::batched`].
    pub batch: Option<BatchSettings>,
    /// See [`Webhook::max_body_bytes`].
    pub max_body_bytes: Option<usize>,
    /// See [`Webhook::gzip`].
    #[serde(default)]
    pub gzip: bool,
    /// See [`Webhook::allow_plaintext`].
    #[serde(default)]
    pub allow_plaintext: bool,
    /// See [`Webhook::client_errors_are_final`].
    #[serde(default)]
    pub client_errors_are_final: bool,
    /// See [`Webhook::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`Webhook::dry_run`].
    #[serde(default)]
    pub dry_run: bool,
}

/// When a batch is due, and how it is written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BatchSettings {
    /// Events of a batch at most, with which it is due. At least 1.
    #[serde(deserialize_with = "events")]
    pub events: usize,
    /// The longest time that an event waits for its batch, in seconds.
    pub interval_seconds: u64,
    /// See [`Webhook::format`].
    #[serde(default)]
    pub format: Format,
}

/// Reads a number of events, of which a batch has at least one.
fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(D::Error::custom("events is 0: use at least 1")),
        events => Ok(events),
    }
}

impl From<WebhookSettings> for Webhook {
    fn from(settings: WebhookSettings) -> Self {
        let mut webhook = Webhook::new(settings.url)
            .method(settings.method)
            .unsigned(settings.unsigned)
            .idempotency_key(settings.idempotency_key)
            .gzip(settings.gzip)
            .allow_plaintext(settings.allow_plaintext)
            .client_errors_are_final(settings.client_errors_are_final)
            .dry_run(settings.dry_run);
        webhook = settings.secrets.into_iter().fold(webhook, Webhook::secret);
        webhook = settings.headers.into_iter().fold(webhook, |webhook, (name, value)| webhook.header(&name, value));
        if let Some(name) = settings.name {
            webhook = webhook.name(&name);
        }
        if let Some(secret) = settings.segment_signature {
            webhook = webhook.segment_signature(secret);
        }
        if let Some(batch) = settings.batch {
            let interval = Duration::from_secs(batch.interval_seconds);
            let batching = Batching::every(batch.events, interval).max_events(batch.events);
            webhook = webhook.batched(batching).format(batch.format);
        }
        if let Some(bytes) = settings.max_body_bytes {
            webhook = webhook.max_body_bytes(bytes);
        }
        if let Some(seconds) = settings.timeout_seconds {
            webhook = webhook.timeout(Duration::from_secs(seconds));
        }
        webhook
    }
}
