//! The settings, as a builder, and the destination that they make.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane::transport::HttpClient;
use tracklane_http::{
    Client, Endpoint, Explanation, Secret, SettingError, ShownRequest, check_name, check_timeout, unwritable,
};

use crate::body::{Format, MapEvent};
use crate::method::Method;
use crate::request::Signer;
use crate::secret::SigningSecret;
use crate::service::{Shared, WebhookService};

/// The name of the destination, unless another is given.
const NAME: &str = "Webhook";
/// The time of an attempt: Standard Webhooks recommends 15 to 30 s.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The smallest limit of a body. An event with a name, a user, an id and its context is larger.
const LEAST_BODY_BYTES: usize = 256;
/// Headers that the request itself decides on.
const RESERVED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-signature",
];

/// A destination that sends each event, or each batch, to a URL, signed.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_webhook::Webhook;
///
/// let webhook = Webhook::new("https://hooks.example/events").secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(webhook.build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: retries, the queue, requests at once.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Webhook {
    url: Secret,
    name: String,
    method: Method,
    secrets: Vec<Secret>,
    unsigned: bool,
    segment_signature: Option<Secret>,
    headers: BTreeMap<String, Secret>,
    idempotency_key: bool,
    batching: Option<Batching>,
    format: Format,
    max_body_bytes: usize,
    gzip: bool,
    allow_plaintext: bool,
    client_errors_are_final: bool,
    timeout: Duration,
    dry_run: bool,
    map: Option<Arc<MapEvent>>,
    http_client: Option<HttpClient>,
}

impl Webhook {
    /// Sends to `url`. A user name and a password in it go out as Basic authentication.
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            name: NAME.to_owned(),
            method: Method::Post,
            secrets: Vec::new(),
            unsigned: false,
            segment_signature: None,
            headers: BTreeMap::new(),
            idempotency_key: false,
            batching: None,
            format: Format::Array,
            max_body_bytes: usize::MAX,
            gzip: false,
            allow_plaintext: false,
            client_errors_are_final: false,
            timeout: TIMEOUT,
            dry_run: false,
            map: None,
            http_client: None,
        }
    }

    /// The name of the destination, for `integrations`. `Webhook` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Signs with this secret: `whsec_` and 24 to 64 bytes in base64. While secrets are changed, sign with both: each
    /// adds a signature, and the receiver needs one of them.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Sends without any signature, so that a receiver cannot tell who sent.
    pub fn unsigned(mut self, unsigned: bool) -> Self {
        self.unsigned = unsigned;
        self
    }

    /// Adds `X-Signature` like Segment's own webhooks, for existing receivers: HMAC-SHA1 of the body, in hexadecimal.
    /// It does not protect against replay; use it together with [`secret`](Self::secret).
    pub fn segment_signature(mut self, secret: impl Into<Secret>) -> Self {
        self.segment_signature = Some(secret.into());
        self
    }

    /// Adds a header to each request. Its value is shown nowhere.
    pub fn header(mut self, name: &str, value: impl Into<Secret>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The method, `POST` by default.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds the header `Idempotency-Key` with the id of the request, which is the same in every attempt.
    pub fn idempotency_key(mut self, add: bool) -> Self {
        self.idempotency_key = add;
        self
    }

    /// Sends several events with one request. By default each has its own.
    pub fn batched(mut self, batching: Batching) -> Self {
        self.batching = Some(batching);
        self
    }

    /// Sets the format of several events in one body, a JSON array by default. Without [`batched`](Self::batched) it
    /// has no effect.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Bytes of a body at most, before compression. A larger batch is split; a larger event is dropped and counted.
    /// Without limit by default, and at least 256; Standard Webhooks recommends less than 20 kB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Sets whether bodies are compressed. The signature is then over the compressed bytes, and a receiver must verify
    /// it before it decompresses them. Off by default.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets whether `http://` is allowed for a host that is not this machine. Events can then be read on the way.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Sets whether 4xx answers are final. By default only 410 is, and the others are tried again, as Standard Webhooks
    /// has it: an endpoint that is misconfigured today may be right in an hour. See [`verdict`](crate::verdict()).
    pub fn client_errors_are_final(mut self, are: bool) -> Self {
        self.client_errors_are_final = are;
        self
    }

    /// Sets how long an attempt may take, 20 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether requests are only logged, at the level INFO and with their bodies, and the events counted as
    /// delivered.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Changes the item of an event, `{"type", "timestamp", "data"}`, before it is signed. Ids and the time of the
    /// signature stay. `serde_json` reads and writes its numbers.
    ///
    /// ```
    /// use tracklane_webhook::Webhook;
    ///
    /// let webhook = Webhook::new("https://hooks.example").map_event(|event, item| {
    ///     item["type"] = event.name().unwrap_or_default().into();
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Value) + Send + Sync + 'static) -> Self {
        self.map = Some(Arc::new(map));
        self
    }

    /// The HTTP client in place of the default one. It must not follow redirects.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Checks the settings and makes the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used. The error names it, and shows no secret.
    pub fn build(self) -> Result<Destination, SettingError> {
        self.check()?;
        let signer = self.signer()?;
        let client = self.client(self.dry_run)?;
        let shared = Shared {
            name: self.name.clone(),
            signer,
            max_body_bytes: self.max_body_bytes,
            client_errors_are_final: self.client_errors_are_final,
            dry_run: self.dry_run,
            secrets: self.all_secrets(client.endpoint()),
            is_gone: AtomicBool::new(false),
        };
        let service = WebhookService { client, shared: Arc::new(shared) };
        Ok(Destination::new(&self.name, service)
            .batching(self.batching.unwrap_or_else(Batching::single))
            .attempt_timeout(self.timeout))
    }

    /// The request that would be sent for `event` at the time `at`, and why it would not be. Nothing is sent. An event
    /// that no client has taken yet has neither id nor time unless they were set.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>, at: SystemTime) -> Result<Explanation, SettingError> {
        self.check()?;
        let (event, client) = (event.into(), self.client(true)?);
        let json = serde_json::to_vec(&event).map_err(unwritable)?;
        let switched_off = tracklane_http::switched_off(&event, &[&self.name]);
        let signed = self.signer()?.sign([(event, Cow::Owned(json))], at).map_err(unwritable)?;
        let len = signed.plain.bytes().len();
        let too_large = || {
            let most = self.max_body_bytes;
            (len > most).then(|| format!("the body has {len} bytes, and max_body_bytes is {most}"))
        };
        let request = client.request(signed.payload, signed.headers);
        let mut explanation = Explanation::of(vec![ShownRequest::of(&request, &client, signed.plain.bytes())]);
        explanation.why_not = switched_off.or_else(too_large);
        Ok(explanation)
    }

    /// Checks the settings that nothing is made of.
    fn check(&self) -> Result<(), SettingError> {
        check_name(&self.name)?;
        check_timeout(self.timeout)?;
        if self.max_body_bytes < LEAST_BODY_BYTES {
            let problem = format!(
                "is {}, and nearly every event is larger: use at least {LEAST_BODY_BYTES}",
                self.max_body_bytes
            );
            return Err(SettingError::new("max_body_bytes", problem));
        }
        Ok(())
    }

    /// A client that sends nothing needs no TLS.
    fn client(&self, offline: bool) -> Result<Client, SettingError> {
        let endpoint = Endpoint::new("url", self.url.expose(), self.allow_plaintext)?;
        let headers = self.header_map()?;
        let client = match offline {
            true => Client::offline(endpoint)?,
            false => Client::new(endpoint, self.http_client.clone())?,
        };
        Ok(client.method(self.method.into()).headers(headers))
    }

    fn header_map(&self) -> Result<HeaderMap, SettingError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let invalid = |problem: &str| SettingError::new("headers", format!("{name:?} {problem}"));
            let known = HeaderName::try_from(name).map_err(|_| invalid("is not the name of a header"))?;
            if RESERVED.contains(&known.as_str()) || known.as_str().starts_with("webhook-") {
                return Err(invalid("is set by the request itself"));
            }
            let mut value = HeaderValue::try_from(value.expose())
                .map_err(|_| invalid("has a value that is not valid in a header"))?;
            value.set_sensitive(true);
            headers.insert(known, value);
        }
        Ok(headers)
    }

    fn signer(&self) -> Result<Signer, SettingError> {
        let secrets: Vec<_> = self.secrets.iter().cloned().map(SigningSecret::new).collect::<Result<_, _>>()?;
        let is_signed = !secrets.is_empty() || self.segment_signature.is_some();
        if is_signed == self.unsigned {
            return Err(match is_signed {
                true => SettingError::new("unsigned", "is true, and there are secrets: leave one of them out"),
                false => SettingError::new("secrets", "is empty: add one (whsec_…), or say unsigned"),
            });
        }
        if self.segment_signature.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            let problem = "is empty: write the secret that the receiver has, or leave the setting out";
            return Err(SettingError::new("segment_signature", problem));
        }
        Ok(Signer {
            secrets,
            segment_signature: self.segment_signature.clone(),
            idempotency_key: self.idempotency_key,
            format: self.batching.map(|_| self.format),
            gzip: self.gzip,
            map: self.map.clone(),
        })
    }

    /// Returns the secrets that a server may repeat, to be removed from errors. For a header also the word behind the
    /// scheme, as in `Bearer abc`.
    fn all_secrets(&self, endpoint: &Endpoint) -> Vec<Secret> {
        let behind_scheme = |value: &Secret| value.expose().split_once(' ').map(|(_, word)| Secret::from(word));
        let mut secrets = endpoint.secrets();
        secrets.extend(self.secrets.iter().chain(&self.segment_signature).chain(self.headers.values()).cloned());
        secrets.extend(self.headers.values().filter_map(behind_scheme));
        secrets
    }
}

/// Neither secrets, nor values of headers, nor the path of the URL.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::new("url", self.url.expose(), true);
        f.debug_struct("Webhook")
            .field("url", &endpoint.map_or_else(|_| "…".to_owned(), |endpoint| endpoint.to_string()))
            .field("name", &self.name)
            .field("method", &self.method)
            .field("secrets", &self.secrets.len())
            .field("headers", &self.headers)
            .field("batching", &self.batching)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}
