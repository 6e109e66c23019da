//! Settings from a configuration file or from the environment, with the same checks as the builder's.
//!
//! What is not set keeps its default. What does not exist is an error, so a misspelt setting is not silently without
//! effect.

mod deserialize;
mod env;
mod read;
mod table;

use std::fmt;

use crate::builder::Builder;
use crate::error::SettingsError;
use crate::plugin::RetryPolicy;
use crate::segment::{Segment, redacted};
pub use table::Settings;

impl Settings {
    /// Reads the settings of the environment, each under the name of the setting in capitals behind `TRACKLANE_`:
    /// `TRACKLANE_WRITE_KEY`, `TRACKLANE_FLUSH_AT`, …
    ///
    /// # Errors
    ///
    /// If a variable of that prefix cannot be read as its setting, or there is no setting of its name; the error names
    /// it.
    pub fn from_env() -> Result<Self, SettingsError> {
        env::settings(std::env::vars_os())
    }

    /// Returns these settings, and where one is not set, that of `fallback`. So the environment goes before a file:
    /// `Settings::from_env()?.or(file)`. `host` and `region` are one in this: they name the same thing.
    #[must_use]
    pub fn or(self, mut fallback: Self) -> Self {
        if self.host.is_some() || self.region.is_some() {
            (fallback.host, fallback.region) = (None, None);
        }
        self.fill(fallback)
    }

    /// Makes the builder with these settings, to add what cannot be written in a file: plugins, listeners.
    ///
    /// # Errors
    ///
    /// As [`segment`](Self::segment).
    pub fn into_builder(self) -> Result<Builder, SettingsError> {
        let segment = self.segment()?;
        Ok(self.give_builder(Builder::new().segment(segment)))
    }

    /// Makes those of the settings that are of Segment's destination, to add what cannot be written in a file: an HTTP
    /// client, layers, a queue on disk.
    ///
    /// ```
    /// use tower::limit::ConcurrencyLimitLayer;
    /// use tracklane::Settings;
    ///
    /// # fn read(settings: Settings) -> Result<(), tracklane::SettingsError> {
    /// let segment = settings.segment()?.wrap(|destination| destination.layer(ConcurrencyLimitLayer::new(2)));
    /// let analytics = settings.into_builder()?.segment(segment).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no write key and the client is not disabled, if both `host` and `region` are set, or only a part of
    /// what OAuth needs.
    pub fn segment(&self) -> Result<Segment, SettingsError> {
        let segment = self.give_segment(Segment::new(self.key()?).retry(self.give_retry(RetryPolicy::new())));
        segment.base_url()?;
        match self.written().any(|name| name.starts_with("oauth_")) {
            true => self.authorized(segment),
            false => Ok(segment),
        }
    }

    fn key(&self) -> Result<&str, SettingsError> {
        match &self.write_key {
            Some(key) => Ok(key),
            // Never sent, so a machine for development or tests needs none.
            None if self.disable == Some(true) || self.disable_all == Some(true) => Ok("disabled"),
            None => {
                let problem = "is not set: write it in the file, or set TRACKLANE_WRITE_KEY";
                Err(SettingsError::missing("write_key", problem))
            }
        }
    }

    #[cfg(feature = "oauth")]
    fn authorized(&self, segment: Segment) -> Result<Segment, SettingsError> {
        let needed = |setting: &'static str, value: &Option<String>| {
            value.clone().ok_or_else(|| SettingsError::missing(setting, "is missing, and OAuth needs it"))
        };
        let client_id = needed("oauth_client_id", &self.oauth_client_id)?;
        // A line break can hardly be written in a file of variables, and PEM has no backslashes.
        let private_key = needed("oauth_private_key", &self.oauth_private_key)?.replace("\\n", "\n");
        let key_id = needed("oauth_key_id", &self.oauth_key_id)?;
        Ok(segment.oauth(self.give_oauth(crate::segment::OAuth::new(client_id, private_key, key_id))))
    }

    #[cfg(not(feature = "oauth"))]
    fn authorized(&self, _: Segment) -> Result<Segment, SettingsError> {
        Err(SettingsError::without_value("oauth_client_id", "and its siblings need the feature `oauth`"))
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
