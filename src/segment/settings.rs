//! `Segment`: the settings of the destination.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::endpoint::redacted;
#[cfg(feature = "oauth")]
use super::oauth::OAuth;
use super::upload::VerdictTable;
use super::{KeyHandle, Region, WriteKey};
use crate::error::SettingsError;
use crate::plugin::{Destination, QueueLimits, RetryPolicy, Verdict};
use crate::transport::HttpClient;

/// The name of the destination, as in analytics-node.
pub const NAME: &str = "Segment.io";

/// Wraps a destination.
pub(super) type Wrap = Box<dyn FnOnce(Destination) -> Destination + Send>;

/// Segment's tracking API as a destination: its settings, and [`build`](Self::build).
///
/// ```
/// use tracklane::Analytics;
/// use tracklane::segment::Segment;
///
/// let segment = Segment::new("WRITE_KEY").flush_at(100);
/// let other = Segment::new("OTHER_KEY").name("Segment (other)").build()?;
/// let analytics = Analytics::builder().segment(segment).plugin(other).build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use = "settings do nothing until they are built"]
pub struct Segment {
    pub(super) key: KeyHandle,
    pub(super) name: String,
    pub(super) host: Option<String>,
    pub(super) region: Option<Region>,
    pub(super) path: String,
    pub(super) allow_plaintext: bool,
    /// `None` stands for the default.
    pub(super) flush_at: Option<usize>,
    pub(super) flush_interval: Duration,
    pub(super) http_request_timeout: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) max_in_flight: usize,
    /// `None` stands for the limits of the client.
    pub(super) queue: Option<QueueLimits>,
    pub(super) http_client: Option<HttpClient>,
    pub(super) proxy: Option<String>,
    pub(super) disabled: bool,
    pub(super) gzip: bool,
    pub(super) user_agent: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) verdict: Option<Arc<VerdictTable>>,
    pub(super) wraps: Vec<Wrap>,
    #[cfg(feature = "oauth")]
    pub(super) oauth: Option<OAuth>,
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

    /// Makes the default settings, for the source with that write key.
    pub fn new(write_key: impl Into<WriteKey>) -> Self {
        Self {
            key: KeyHandle::new(&write_key.into()),
            name: NAME.to_owned(),
            host: None,
            region: None,
            path: Self::PATH.to_owned(),
            allow_plaintext: false,
            flush_at: None,
            flush_interval: Self::FLUSH_INTERVAL,
            http_request_timeout: Self::HTTP_REQUEST_TIMEOUT,
            retry: RetryPolicy::new(),
            max_in_flight: Self::MAX_IN_FLIGHT,
            queue: None,
            http_client: None,
            proxy: None,
            disabled: false,
            gzip: false,
            user_agent: concat!("tracklane/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            verdict: None,
            wraps: Vec::new(),
            #[cfg(feature = "oauth")]
            oauth: None,
        }
    }

    /// Names the destination. Required if there are several.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the handle that changes the write key later, while the destination works.
    ///
    /// ```
    /// use tracklane::Analytics;
    /// use tracklane::segment::Segment;
    ///
    /// let segment = Segment::new("OLD_KEY");
    /// let key = segment.key_handle();
    /// let analytics = Analytics::builder().segment(segment).build()?;
    /// key.set_write_key("NEW_KEY")?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    #[must_use]
    pub fn key_handle(&self) -> KeyHandle {
        self.key.clone()
    }

    /// Sets the base URL of the API, with or without `/v1`. `https://api.segment.io` by default.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sends to the API of that region, in place of a [`host`](Self::host). Setting both is an error.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Sets the path of the API. `/v1/batch` by default.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Allows `http://` for a host that is not this machine. By default it is not allowed, because anybody on the
    /// network could read the write key.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Sets how many events make a batch due, 1 to 2,500; 15 by default. With 1 each leaves at once, together with
    /// those that came meanwhile. While the largest number of requests is in flight, waiting events add up to larger
    /// batches. In a [driven](crate::Builder::driven) client the default is as many as fit into a request.
    pub fn flush_at(mut self, events: usize) -> Self {
        self.flush_at = Some(events);
        self
    }

    /// Limits how long an event waits for its batch, a millisecond to a day. 10 s by default.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Limits the time of one request, a millisecond to a day. 10 s by default.
    pub fn http_request_timeout(mut self, timeout: Duration) -> Self {
        self.http_request_timeout = timeout;
        self
    }

    /// Sets how often and how long a failed batch is tried again, at most 30 days; see [`RetryPolicy`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Limits the requests in flight, 8 by default. With 1, events arrive in order.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Limits the queue, and sets what happens when it is full. By default it holds twice what the client may have under
    /// way (`max_queue_size`, `max_queue_bytes`), or as much if the oldest event gives way (`overflow`).
    pub fn queue(mut self, queue: QueueLimits) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Replaces the default HTTP client by any tower service of HTTP.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Sets the proxy of the default HTTP client, such as `http://user:password@proxy.example:8080` or
    /// `socks5h://proxy.example`. It replaces the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, …). Those are
    /// never used for a host on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// With `true`, sends nothing.
    pub(crate) fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// Compresses bodies with gzip. Off by default: it costs more time than it saves on a fast network.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Replaces the `User-Agent` header `tracklane/VERSION`.
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

    /// Adds a header to every request, such as `X-Strict-Mode` for Customer.io. A header that the request itself sets
    /// (`Authorization`, `Content-Type`, `Content-Encoding`, `Content-Length`, `Host`, `User-Agent`, `X-Retry-Count`)
    /// is an error of [`build`](Self::build). The value is shown nowhere.
    ///
    /// ```
    /// use tracklane::segment::Segment;
    ///
    /// let customer_io = Segment::new("KEY").host("https://cdp.customer.io").header("X-Strict-Mode", "1").build()?;
    /// assert!(Segment::new("KEY").header("Authorization", "mine").build().is_err());
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces the function that judges a response: [`verdict`](super::verdict()), or with OAuth `verdict_with_oauth`.
    pub fn verdict(
        mut self,
        table: impl Fn(StatusCode, &HeaderMap, SystemTime) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.verdict = Some(Arc::new(table));
        self
    }

    /// Wraps the destination when it is built, for example in tower layers or in a queue on disk. The last wrapper is
    /// the outermost.
    ///
    /// ```
    /// use tower::limit::ConcurrencyLimitLayer;
    /// use tracklane::Analytics;
    /// use tracklane::segment::Segment;
    ///
    /// let segment = Segment::new("WRITE_KEY").wrap(|destination| destination.layer(ConcurrencyLimitLayer::new(2)));
    /// let analytics = Analytics::builder().segment(segment).build()?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn wrap(mut self, wrap: impl FnOnce(Destination) -> Destination + Send + 'static) -> Self {
        self.wraps.push(Box::new(wrap));
        self
    }

    /// Returns how many events make a batch due, unless the client is driven.
    pub(super) fn flush_at_or_default(&self) -> usize {
        self.flush_at.unwrap_or(Self::FLUSH_AT)
    }

    /// Returns the base URL of the API.
    ///
    /// # Errors
    ///
    /// Returns an error if both a host and a region are set.
    pub(crate) fn base_url(&self) -> Result<&str, SettingsError> {
        match (&self.host, self.region) {
            (Some(host), Some(_)) => {
                let problem = "cannot be set together with region: set one of them";
                Err(SettingsError::new("host", redacted(host), problem))
            }
            (Some(host), None) => Ok(host),
            (None, region) => Ok(region.unwrap_or_default().host()),
        }
    }
}

/// Hides the key, the proxy, and a password in the host.
impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("name", &self.name)
            .field("host", &self.host.as_deref().map(redacted))
            .field("region", &self.region)
            .field("flush_at", &self.flush_at_or_default())
            .field("flush_interval", &self.flush_interval)
            .finish_non_exhaustive()
    }
}
