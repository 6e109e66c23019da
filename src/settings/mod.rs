//! Settings from a configuration file or from the environment, with the checks of the builder.
//!
//! A setting that is not set keeps its default. An unknown setting is an error, so that a misspelt one cannot go
//! unnoticed.

mod deserialize;
mod env;
mod read;
mod similar;
mod table;

use std::fmt;

use crate::builder::Builder;
use crate::error::{SettingsError, SettingsErrors};
use crate::plugin::RetryPolicy;
use crate::segment::{Segment, redacted};
pub use similar::similar_name;
pub use table::Settings;

/// The key of a client that needs none.
const PLACEHOLDER: &str = "disabled";

impl Settings {
    /// Reads the settings of the environment. A variable has the name of its setting in capitals, behind `TRACKLANE_`:
    /// `TRACKLANE_WRITE_KEY`, `TRACKLANE_FLUSH_AT`, …
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable, if a variable of that prefix cannot be read as its setting, or there
    /// is no setting of its name. Whether a setting can be used is checked later, with those of a file, by its name.
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
    /// Returns an error if a setting of a file could not be read, if there is no write key and the client is not disabled,
    /// if both `host` and `region` are set,
    /// or if only some of the settings of OAuth are set.
    pub fn segment(&self) -> Result<Segment, SettingsError> {
        let mut errors = self.errors.clone();
        self.check_missing(&mut errors);
        let segment = self.segment_of(self.key().unwrap_or(PLACEHOLDER));
        if errors.is_empty() && segment.base_url().is_ok() {
            return Ok(segment);
        }
        self.check_values(&mut errors);
        errors.into_result().map(|()| segment)
    }

    /// Returns these settings, if reading them had no errors. Otherwise the values that were read are checked as well, so
    /// that the error has everything that is wrong.
    fn read_with(self, mut errors: SettingsErrors) -> Result<Self, SettingsError> {
        if !errors.is_empty() {
            self.check_values(&mut errors);
        }
        errors.into_result().map(|()| self)
    }

    /// Checks that nothing is missing that no default stands for.
    fn check_missing(&self, errors: &mut SettingsErrors) {
        if !["write_key", "disable", "disable_all"].iter().any(|setting| errors.has(setting)) {
            errors.check(self.key());
        }
        self.check_oauth(errors);
    }

    /// Checks what is set, whatever is missing.
    fn check_values(&self, errors: &mut SettingsErrors) {
        let key = self.write_key.as_deref().unwrap_or(PLACEHOLDER);
        let segment = self.segment_of(key).disable(self.is_disabled());
        errors.check(segment.check());
        errors.check(self.give_builder(Builder::new()).check());
    }

    fn is_disabled(&self) -> bool {
        self.disable == Some(true) || self.disable_all == Some(true)
    }

    fn segment_of(&self, key: &str) -> Segment {
        let segment = self.give_segment(Segment::new(key).retry(self.give_retry(RetryPolicy::new())));
        self.authorized(segment)
    }

    fn key(&self) -> Result<&str, SettingsError> {
        match &self.write_key {
            Some(key) => Ok(key),
            // Nothing is sent, so a machine for development or tests needs no key.
            None if self.is_disabled() => Ok(PLACEHOLDER),
            None => {
                let problem = "is not set: write it in the file, or set TRACKLANE_WRITE_KEY";
                Err(SettingsError::missing("write_key", problem))
            }
        }
    }

    /// Checks that all settings of OAuth are there, if one is.
    #[cfg(feature = "oauth")]
    fn check_oauth(&self, errors: &mut SettingsErrors) {
        if !self.written().any(|name| name.starts_with("oauth_")) {
            return;
        }
        for (setting, value) in [
            ("oauth_client_id", &self.oauth_client_id),
            ("oauth_private_key", &self.oauth_private_key),
            ("oauth_key_id", &self.oauth_key_id),
        ] {
            let missing = || SettingsError::missing(setting, "is missing, and OAuth needs it");
            if !errors.has(setting) {
                errors.check(value.as_ref().ok_or_else(missing));
            }
        }
    }

    #[cfg(not(feature = "oauth"))]
    fn check_oauth(&self, errors: &mut SettingsErrors) {
        if self.written().any(|name| name.starts_with("oauth_")) {
            let problem = "and its siblings need the feature `oauth`";
            errors.add(SettingsError::without_value("oauth_client_id", problem));
        }
    }

    #[cfg(feature = "oauth")]
    fn authorized(&self, segment: Segment) -> Segment {
        let (Some(client_id), Some(private_key), Some(key_id)) =
            (&self.oauth_client_id, &self.oauth_private_key, &self.oauth_key_id)
        else {
            return segment;
        };
        // A file of variables can hardly have a line break, and PEM has no backslashes.
        let private_key = private_key.replace("\\n", "\n");
        segment.oauth(self.give_oauth(crate::segment::OAuth::new(client_id, private_key, key_id)))
    }

    #[cfg(not(feature = "oauth"))]
    fn authorized(&self, segment: Segment) -> Segment {
        segment
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
