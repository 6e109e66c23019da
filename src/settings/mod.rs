//! Settings from a configuration file or from the environment, with the checks of the builder.
//!
//! A setting that is not set keeps its default. An unknown setting is an error, so that a misspelt one cannot go
//! unnoticed.

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
    /// Reads the settings of the environment. A variable has the name of its setting in capitals, behind `TRACKLANE_`:
    /// `TRACKLANE_WRITE_KEY`, `TRACKLANE_FLUSH_AT`, …
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable, if a variable of that prefix cannot be read as its setting, or there
    /// is no setting of its name.
    pub fn from_env() -> Result<Self, SettingsError> {
        env::settings(std::env::vars_os())
    }

    /// Returns these settings. A setting that is not set here is taken from `fallback`. So
    /// `Settings::from_env()?.or(file)` lets the environment override a file. `host` and `region` count as one setting,
    /// because they mean the same thing.
    #[must_use]
    pub fn or(self, mut fallback: Self) -> Self {
        if self.host.is_some() || self.region.is_some() {
            (fallback.host, fallback.region) = (None, None);
        }
        self.fill(fallback)
    }

    /// Makes the builder with these settings, to add what a file cannot have: plugins, listeners.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`segment`](Self::segment).
    pub fn into_builder(self) -> Result<Builder, SettingsError> {
        let segment = self.segment()?;
        Ok(self.give_builder(Builder::new().segment(segment)))
    }

    /// Makes the settings of Segment's destination, to add what a file cannot have: an HTTP client, layers, a queue on
    /// disk.
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
    /// Returns an error if there is no write key and the client is not disabled, if both `host` and `region` are set,
    /// or if only some of the settings of OAuth are set.
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
            // Nothing is sent, so a machine for development or tests needs no key.
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
        // A file of variables can hardly have a line break, and PEM has no backslashes.
        let private_key = needed("oauth_private_key", &self.oauth_private_key)?.replace("\\n", "\n");
        let key_id = needed("oauth_key_id", &self.oauth_key_id)?;
        Ok(segment.oauth(self.give_oauth(crate::segment::OAuth::new(client_id, private_key, key_id))))
    }

    #[cfg(not(feature = "oauth"))]
    fn authorized(&self, _: Segment) -> Result<Segment, SettingsError> {
        Err(SettingsError::without_value("oauth_client_id", "and its siblings need the feature `oauth`"))
    }
}

/// Hides keys, and the proxy and the host, which may have a password.
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
