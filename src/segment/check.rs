//! Checks the settings, all of them, before anything is made of them.

use std::time::Duration;

use super::Segment;
use super::build::header;
use super::http_client::check_proxy;
use crate::error::{SettingsError, SettingsErrors};
use crate::event::MAX_BATCH_EVENTS;

/// The longest interval or timeout: a day. A longer one is taken for a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time of retries: 30 days. A longer one is taken for a mistake, because the events wait in memory, and
/// hardly any process runs for longer.
const LONGEST_RETRYING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Segment {
    /// Checks everything that needs no HTTP client.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let mut errors = SettingsErrors::default();
        if !self.disabled {
            errors.check(self.key.check());
        }
        if self.name.is_empty() {
            errors.add(SettingsError::new("name", &self.name, "must be a name, which errors and counts show"));
        }
        let flush_at = self.flush_at_or_default();
        if !(1..=MAX_BATCH_EVENTS).contains(&flush_at) {
            errors.add(SettingsError::new("flush_at", flush_at, "must be between 1 and 2500"));
        }
        for (setting, limit) in self.retry.limits() {
            if limit > LONGEST_RETRYING {
                errors.add(SettingsError::new(setting, limit, "must be at most 30 days"));
            }
        }
        errors.check(check_duration("flush_interval", self.flush_interval));
        errors.check(check_duration("http_request_timeout", self.http_request_timeout));
        if self.max_in_flight == 0 {
            errors.add(SettingsError::new("max_in_flight", 0, "must be at least 1"));
        }
        errors.check(self.uri());
        errors.check(self.user_agent_value());
        for (name, value) in &self.headers {
            errors.check(header(name, value));
        }
        errors.check(check_proxy(self.http_client.is_some(), self.proxy.as_deref()));
        #[cfg(feature = "oauth")]
        if let Some(oauth) = &self.oauth {
            errors.check(oauth.check(self.allow_plaintext));
        }
        errors.into_result()
    }
}

/// Checks that a duration is between a millisecond and a day. Any other is taken for a mistake of units.
fn check_duration(setting: &'static str, value: Duration) -> Result<(), SettingsError> {
    if (Duration::from_millis(1)..=LONGEST).contains(&value) {
        return Ok(());
    }
    Err(SettingsError::new(setting, value, "must be between a millisecond and a day"))
}
