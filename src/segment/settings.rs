//! The settings of the destination, checked once.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::Semaphore;

use super::authorization::Authorization;
use super::endpoint::{endpoint, shown};
use super::http_client::{http_client, without_client};
#[cfg(feature = "oauth")]
use super::oauth::OAuth;
use super::upload::{MOST_COMPRESSED, MOST_DRAINS, Shared, Upload, VerdictTable};
use super::{KeyRotation, Region, WriteKey, payload, verdict};
use crate::error::SettingsError;
use crate::event::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
use crate::plugin::{Batching, Destination, QueueLimits, RetryPolicy, Verdict};
use crate::transport::{Blocking, HttpClient};

/// The name of the destination, as in analytics-node.
pub const NAME: &str = "Segment.io";

/// The longest interval or timeout that is not taken for a mistake: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time of retries that is not taken for a mistake: 30 days. The events wait in memory, and hardly any
/// process keeps its memory for longer.
const LONGEST_RETRYING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Segment's tracking API as a destination. [`Analytics::new`](crate::Analytics::new) registers one; another one, with
/// another key, is a destination like any other.
///
/// ```
/// use tracklane::segment::Segment;
///
/// let destination = Segment::new("WRITE_KEY").flush_at(100).build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use = "settings do nothing until they are built"]
#[derive(Clone)]
pub struct Segment {
    key: KeyRotation,
    name: String,
    host: String,
    path: String,
    allow_plaintext: bool,
    flush_at: usize,
    flush_interval: Duration,
    http_request_timeout: Duration,
    retry: RetryPolicy,
    max_in_flight: usize,
    queue: QueueLimits,
    http_client: Option<HttpClient>,
    proxy: Option<String>,
    disabled: bool,
    gzip: bool,
    user_agent: String,
    verdict: Option<Arc<VerdictTable>>,
    #[cfg(feature = "oauth")]
    oauth: Option<OAuth>,
}

impl Segment {
    /// The default of [`host`](Self::host).
    pub const HOST: &'static str = Region::Oregon.host();
    /// The default of [`path`](Self::path).
    pub const PATH: &'static str = "/v1/batch";
    /// The default of [`flush_at`](Self::flush_at).
    pub const FLUSH_AT: usize = 15;
    /// The default of [`flush_interval`](Self::flush_interval).
    pub const FLUSH_INTERVAL: Duration = Duration::from_secs(10);
    /// The default of [`http_request_timeout`](Self::http_request_timeout).
    pub const HTTP_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
    /// The default of [`max_in_flight`](Self::max_in_flight).
    pub const MAX_IN_FLIGHT: usize = 8;

    /// Segment with the defaults, for the source with that write key.
    pub fn new(write_key: impl Into<WriteKey>) -> Self {
        Self {
            key: KeyRotation::new(&write_key.into()),
            name: NAME.to_owned(),
            host: Self::HOST.to_owned(),
            path: Self::PATH.to_owned(),
            allow_plaintext: false,
            flush_at: Self::FLUSH_AT,
            flush_interval: Self::FLUSH_INTERVAL,
            http_request_timeout: Self::HTTP_REQUEST_TIMEOUT,
            retry: RetryPolicy::new(),
            max_in_flight: Self::MAX_IN_FLIGHT,
            queue: QueueLimits::default(),
            http_client: None,
            proxy: None,
            disabled: false,
            gzip: false,
            user_agent: concat!("tracklane/", env!("CARGO_PKG_VERSION")).to_owned(),
            verdict: None,
            #[cfg(feature = "oauth")]
            oauth: None,
        }
    }

    /// The destination's name, if there is to be more than one.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// What changes the write key later, while the destination works. Clones of these settings share it, and so do the
    /// destinations that are made of them.
    ///
    /// ```
    /// use tracklane::Analytics;
    /// use tracklane::segment::Segment;
    ///
    /// let segment = Segment::new("OLD_KEY").name("Segment (audit)");
    /// let rotation = segment.key_rotation();
    /// let analytics = Analytics::builder("WRITE_KEY").plugin(segment.build()?).build()?;
    /// rotation.set_write_key("NEW_KEY")?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    #[must_use]
    pub fn key_rotation(&self) -> KeyRotation {
        self.key.clone()
    }

    /// The base URL of the API, with or without `/v1`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The path of the API.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Whether `http://` is allowed for a host that is not this machine. The write key is then readable on the way.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Events that make a batch due, 1 to 2,500. 1 turns batching off.
    pub fn flush_at(mut self, events: usize) -> Self {
        self.flush_at = events;
        self
    }

    /// How long an event waits for its batch at most.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// How long one request may take.
    pub fn http_request_timeout(mut self, timeout: Duration) -> Self {
        self.http_request_timeout = timeout;
        self
    }

    /// How often and how long a failed batch is tried again; for 30 days at most.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) fn map_retry(mut self, change: impl FnOnce(RetryPolicy) -> RetryPolicy) -> Self {
        self.retry = change(self.retry);
        self
    }

    /// Requests under way at once. With 1, events arrive in order.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// How much may wait, and what happens beyond.
    pub fn queue(mut self, queue: QueueLimits) -> Self {
        self.queue = queue;
        self
    }

    /// The HTTP client in place of the default one.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// The proxy of the default HTTP client, in place of those that the environment names.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Whether nothing is ever sent.
    pub(crate) fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// Whether bodies are compressed.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// The `User-Agent` header in place of `tracklane/VERSION`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sends a token in place of the write key's Basic authentication. See [`OAuth`].
    #[cfg(feature = "oauth")]
    pub fn oauth(mut self, oauth: OAuth) -> Self {
        self.oauth = Some(oauth);
        self
    }

    /// What decides on a response, in place of [`verdict`](super::verdict()), and with OAuth in place of
    /// `verdict_with_oauth`.
    pub fn verdict(
        mut self,
        table: impl Fn(StatusCode, &HeaderMap, SystemTime) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.verdict = Some(Arc::new(table));
        self
    }

    /// The destination.
    ///
    /// # Errors
    ///
    /// If a setting cannot be used; the error names it and its value.
    pub fn build(mut self) -> Result<Destination, SettingsError> {
        self.check()?;
        let key_len = self.key.current().json.len();
        let uri = endpoint("host", &self.host, &self.path, self.allow_plaintext)?;
        let user_agent = HeaderValue::try_from(&self.user_agent).map_err(|error| {
            SettingsError::new("user_agent", &self.user_agent, "is not a header value").caused_by(error)
        })?;
        let plaintext = uri.scheme() == Some(&Scheme::HTTP) && !self.oauth_needs_tls();
        let (given, proxy) = (self.http_client.take(), self.proxy.as_deref());
        let client = match self.disabled {
            true => without_client(given, proxy)?,
            false => http_client(given, proxy, plaintext)?,
        };
        let authorization = self.authorization(&client, &user_agent)?;
        let verdict = self.verdict_table();
        let in_flight = NonZeroUsize::new(self.max_in_flight)
            .ok_or_else(|| SettingsError::new("max_in_flight", self.max_in_flight, "must be at least 1"))?;
        let Self { key, gzip, .. } = self;
        let drains = Arc::new(Semaphore::new(MOST_DRAINS));
        let compressing = Blocking::new("tracklane-gzip", MOST_COMPRESSED);
        let shared =
            Arc::new(Shared { uri, key, key_len, authorization, user_agent, verdict, gzip, compressing, drains });
        let batching = Batching::every(self.flush_at, self.flush_interval)
            .max_bytes(MAX_BATCH_BYTES - payload::frame_len(key_len));
        Ok(Destination::new(&self.name, Upload { client, shared })
            .ignores_all(true)
            .batching(batching)
            .retry(self.retry)
            .queue(self.queue)
            .in_flight(in_flight)
            .attempt_timeout(self.http_request_timeout))
    }

    /// Whether the client must speak TLS for the sake of the token server, even if the API does not.
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

    /// Checks the key and the numbers.
    fn check(&self) -> Result<(), SettingsError> {
        self.key.check()?;
        if !(1..=MAX_BATCH_EVENTS).contains(&self.flush_at) {
            return Err(SettingsError::new("flush_at", self.flush_at, "must be between 1 and 2500"));
        }
        for (setting, limit) in self.retry.limits() {
            if limit > LONGEST_RETRYING {
                return Err(SettingsError::new(setting, limit, "must be at most 30 days"));
            }
        }
        check_duration("flush_interval", self.flush_interval)?;
        check_duration("http_request_timeout", self.http_request_timeout)
    }
}

/// Between a millisecond and a day: what is outside is a mistake of units.
fn check_duration(setting: &'static str, value: Duration) -> Result<(), SettingsError> {
    if (Duration::from_millis(1)..=LONGEST).contains(&value) {
        return Ok(());
    }
    Err(SettingsError::new(setting, value, "must be between a millisecond and a day"))
}

/// Neither key, nor proxy, nor what a host may hold of a password.
impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("name", &self.name)
            .field("host", &shown(&self.host))
            .field("flush_at", &self.flush_at)
            .field("flush_interval", &self.flush_interval)
            .finish_non_exhaustive()
    }
}
