//! The settings of Segment's destination, on the builder of the client that has it.

use std::time::Duration;

use super::Builder;
use crate::error::SettingsError;
use crate::plugin::{Destination, RetryPolicy};
use crate::segment::{Region, Segment};
use crate::transport::HttpClient;

impl Builder {
    /// The base URL of Segment's API, with or without `/v1`. `https://api.segment.io` by default.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.on_segment("host", |segment| segment.host(host))
    }

    /// Segment's API in that region, in place of [`host`](Self::host).
    pub fn region(self, region: Region) -> Self {
        self.on_segment("region", |segment| segment.host(region.host()))
    }

    /// The path of Segment's API. `/v1/batch` by default.
    pub fn path(self, path: impl Into<String>) -> Self {
        self.on_segment("path", |segment| segment.path(path))
    }

    /// Whether `http://` is allowed to another machine. It is not, by default: anybody on the way could read the key.
    pub fn allow_plaintext(self, allow: bool) -> Self {
        self.on_segment("allow_plaintext", |segment| segment.allow_plaintext(allow))
    }

    /// Events that make a batch due, 1 to 2,500; 15 by default. With 1 each leaves at once, together with
    /// what came meanwhile. While as many requests are under
    /// way as may be, what waits goes out in larger batches.
    pub fn flush_at(self, events: usize) -> Self {
        self.on_segment("flush_at", |segment| segment.flush_at(events))
    }

    /// How long an event waits for its batch at most. 10 s by default.
    pub fn flush_interval(self, interval: Duration) -> Self {
        self.on_segment("flush_interval", |segment| segment.flush_interval(interval))
    }

    /// How long one request may take. 10 s by default.
    pub fn http_request_timeout(self, timeout: Duration) -> Self {
        self.on_segment("http_request_timeout", |segment| segment.http_request_timeout(timeout))
    }

    /// Attempts at a batch after the first. 10 by default.
    pub fn max_retries(self, retries: u32) -> Self {
        self.on_segment("max_retries", |segment| segment.map_retry(|retry| retry.max_retries(retries)))
    }

    /// How long after its first failure a batch is tried again at most, up to 30 days; zero for no retries. 12 h by
    /// default.
    pub fn max_total_backoff(self, limit: Duration) -> Self {
        self.on_segment("max_total_backoff", |segment| segment.map_retry(|retry| retry.max_total_backoff(limit)))
    }

    /// How long after the first pause that Segment asked for a batch is tried again at most, up to 30 days; zero if it
    /// is not to wait for Segment. 12 h by default.
    pub fn max_rate_limit(self, limit: Duration) -> Self {
        self.on_segment("max_rate_limit", |segment| segment.map_retry(|retry| retry.max_rate_limit(limit)))
    }

    /// How often and how long a failed batch is tried again. It replaces what [`max_retries`](Self::max_retries),
    /// [`max_total_backoff`](Self::max_total_backoff) and [`max_rate_limit`](Self::max_rate_limit) have set before;
    /// called later, they change it.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.on_segment("retry", |segment| segment.retry(retry))
    }

    /// Requests under way at once. 8 by default; with 1, events arrive in order.
    pub fn max_in_flight(self, requests: usize) -> Self {
        self.on_segment("max_in_flight", |segment| segment.max_in_flight(requests))
    }

    /// Whether bodies are compressed. They are not, by default: it costs more time than it saves on a fast network.
    pub fn gzip(self, gzip: bool) -> Self {
        self.on_segment("gzip", |segment| segment.gzip(gzip))
    }

    /// The proxy of the default HTTP client, such as `http://user:password@proxy.example:8080` or
    /// `socks5h://proxy.example`, in place of those that the environment names (`HTTPS_PROXY`, `NO_PROXY`, …), which are
    /// never used for a host on this machine.
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.on_segment("proxy", |segment| segment.proxy(url))
    }

    /// The `User-Agent` header in place of `tracklane/VERSION`.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        self.on_segment("user_agent", |segment| segment.user_agent(user_agent))
    }

    /// The HTTP client in place of the default one.
    pub fn http_client(self, client: HttpClient) -> Self {
        self.on_segment("http_client", |segment| segment.http_client(client))
    }

    /// Puts something around Segment's destination: tower layers, or a queue on disk in front of it. The last one added
    /// is the outermost.
    ///
    /// ```
    /// use tower::limit::ConcurrencyLimitLayer;
    /// use tracklane::Analytics;
    ///
    /// let analytics = Analytics::builder_for("WRITE_KEY")
    ///     .wrap_segment(|segment| segment.layer(ConcurrencyLimitLayer::new(2)))
    ///     .build()?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn wrap_segment(self, wrap: impl FnOnce(Destination) -> Destination + Send + 'static) -> Self {
        let mut builder = self.on_segment("wrap_segment", |segment| segment);
        builder.segment_wraps.push(Box::new(wrap));
        builder
    }

    /// Authorizes the requests to Segment by OAuth 2.0.
    #[cfg(feature = "oauth")]
    pub fn oauth(self, oauth: crate::segment::OAuth) -> Self {
        self.on_segment("oauth", |segment| segment.oauth(oauth))
    }

    fn on_segment(mut self, setting: &'static str, change: impl FnOnce(Segment) -> Segment) -> Self {
        match self.segment.take() {
            Some(segment) => self.segment = Some(change(segment)),
            None => self.misplaced = self.misplaced.or(Some(setting)),
        }
        self
    }

    /// A setting of a destination that is not there would be without effect, and nobody would notice.
    pub(super) fn check_misplaced(&self) -> Result<(), SettingsError> {
        let problem =
            "is a setting of Segment's destination, which this client does not have: set it on the destination";
        match self.misplaced {
            Some(setting) => Err(SettingsError::without_value(setting, problem)),
            None => Ok(()),
        }
    }
}
