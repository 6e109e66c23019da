//! Settings from a configuration file or from the environment, with the same checks as the builder's.
//!
//! Every setting here is one of [`Builder`]'s, under its name. What is not set keeps its default; what does not exist
//! is an error, so a misspelt setting is not silently without effect.

mod duration;
mod env;
mod oauth;
mod read;

use std::fmt;
use std::time::Duration;

use crate::builder::Builder;
use crate::error::SettingsError;
use crate::event::Context;
use crate::plugin::Overflow;
use crate::segment::{Region, Segment, redacted};
use oauth::OAuthSettings;

/// Settings as data, for any format that serde reads.
///
/// Durations are strings with units (`"10s"`, `"500ms"`, `"1h 30m"`) or numbers of milliseconds. What cannot be read is
/// an error of the format that names the setting and, unless it may be a secret, the value.
///
/// ```
/// use tracklane::Settings;
///
/// let settings: Settings = serde_json::from_str(
///     r#"{ "write_key": "WRITE_KEY", "region": "dublin", "flush_at": 100, "flush_interval": "5s" }"#,
/// )?;
/// let analytics = settings.into_builder()?.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Settings {
    write_key: Option<String>,
    host: Option<String>,
    region: Option<Region>,
    path: Option<String>,
    allow_plaintext: Option<bool>,
    flush_at: Option<usize>,
    flush_interval: Option<Duration>,
    http_request_timeout: Option<Duration>,
    max_retries: Option<u32>,
    max_total_backoff: Option<Duration>,
    max_rate_limit: Option<Duration>,
    max_in_flight: Option<usize>,
    max_queue_size: Option<usize>,
    max_queue_bytes: Option<usize>,
    overflow: Option<Overflow>,
    gzip: Option<bool>,
    proxy: Option<String>,
    user_agent: Option<String>,
    disable: Option<bool>,
    disable_all: Option<bool>,
    context: Option<Context>,
    oauth: OAuthSettings,
}

impl Settings {
    /// The settings that the environment has, each under the name of the setting in capitals behind `TRACKLANE_`:
    /// `TRACKLANE_WRITE_KEY`, `TRACKLANE_FLUSH_AT`, …
    ///
    /// # Errors
    ///
    /// If a variable of that prefix cannot be read as its setting, or there is no setting of its name; the error names
    /// it.
    pub fn from_env() -> Result<Self, SettingsError> {
        env::settings(std::env::vars_os())
    }

    /// These settings, and where one is not set, that of `fallback`. So the environment goes before a file:
    /// `Settings::from_env()?.or(file)`. `host` and `region` are one in this: they name the same thing.
    #[must_use]
    pub fn or(self, fallback: Self) -> Self {
        let is_placed = self.host.is_some() || self.region.is_some();
        let (host, region) = if is_placed { (self.host, self.region) } else { (fallback.host, fallback.region) };
        Self {
            write_key: self.write_key.or(fallback.write_key),
            host,
            region,
            path: self.path.or(fallback.path),
            allow_plaintext: self.allow_plaintext.or(fallback.allow_plaintext),
            flush_at: self.flush_at.or(fallback.flush_at),
            flush_interval: self.flush_interval.or(fallback.flush_interval),
            http_request_timeout: self.http_request_timeout.or(fallback.http_request_timeout),
            max_retries: self.max_retries.or(fallback.max_retries),
            max_total_backoff: self.max_total_backoff.or(fallback.max_total_backoff),
            max_rate_limit: self.max_rate_limit.or(fallback.max_rate_limit),
            max_in_flight: self.max_in_flight.or(fallback.max_in_flight),
            max_queue_size: self.max_queue_size.or(fallback.max_queue_size),
            max_queue_bytes: self.max_queue_bytes.or(fallback.max_queue_bytes),
            overflow: self.overflow.or(fallback.overflow),
            gzip: self.gzip.or(fallback.gzip),
            proxy: self.proxy.or(fallback.proxy),
            user_agent: self.user_agent.or(fallback.user_agent),
            disable: self.disable.or(fallback.disable),
            disable_all: self.disable_all.or(fallback.disable_all),
            context: self.context.or(fallback.context),
            oauth: self.oauth.or(fallback.oauth),
        }
    }

    /// The builder with these settings, to add what cannot be written in a file: plugins, listeners, an HTTP client.
    ///
    /// # Errors
    ///
    /// If there is no write key and the client is not disabled, if both `host` and `region` are set, or only a part of
    /// what OAuth needs.
    pub fn into_builder(self) -> Result<Builder, SettingsError> {
        if let (Some(host), Some(_)) = (&self.host, &self.region) {
            return Err(SettingsError::new(
                "host",
                redacted(host),
                "cannot be set together with region: set one of them",
            ));
        }
        let write_key = match self.write_key {
            Some(key) => key,
            // Never sent, so a machine for development or tests needs none.
            None if self.disable == Some(true) || self.disable_all == Some(true) => "disabled".to_owned(),
            None => {
                let problem = "is not set: write it in the file, or set TRACKLANE_WRITE_KEY";
                return Err(SettingsError::without_value("write_key", problem));
            }
        };
        let mut builder = Builder::new().segment(Segment::new(write_key));
        builder = set(builder, self.host, Builder::host);
        builder = set(builder, self.region, Builder::region);
        builder = set(builder, self.path, Builder::path);
        builder = set(builder, self.allow_plaintext, Builder::allow_plaintext);
        builder = set(builder, self.flush_at, Builder::flush_at);
        builder = set(builder, self.flush_interval, Builder::flush_interval);
        builder = set(builder, self.http_request_timeout, Builder::http_request_timeout);
        builder = set(builder, self.max_retries, Builder::max_retries);
        builder = set(builder, self.max_total_backoff, Builder::max_total_backoff);
        builder = set(builder, self.max_rate_limit, Builder::max_rate_limit);
        builder = set(builder, self.max_in_flight, Builder::max_in_flight);
        builder = set(builder, self.max_queue_size, Builder::max_queue_size);
        builder = set(builder, self.max_queue_bytes, Builder::max_queue_bytes);
        builder = set(builder, self.overflow, Builder::overflow);
        builder = set(builder, self.gzip, Builder::gzip);
        builder = set(builder, self.proxy, Builder::proxy);
        builder = set(builder, self.user_agent, Builder::user_agent);
        builder = set(builder, self.disable, Builder::disable);
        builder = set(builder, self.disable_all, Builder::disable_all);
        builder = set(builder, self.context, Builder::context);
        self.oauth.apply(builder)
    }
}

fn set<B, T>(builder: B, value: Option<T>, setter: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => setter(builder, value),
        None => builder,
    }
}

/// Shows neither keys nor the proxy, which may hold a password as the host may.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host.as_deref().map(redacted))
            .field("region", &self.region)
            .field("flush_at", &self.flush_at)
            .field("flush_interval", &self.flush_interval)
            .field("disable", &self.disable)
            .field("disable_all", &self.disable_all)
            .finish_non_exhaustive()
    }
}
