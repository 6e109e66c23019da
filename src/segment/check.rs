//! Checks the write key, and the ranges of numbers in the settings.

use std::time::Duration;

use super::Segment;
use crate::error::SettingsError;
use crate::event::MAX_BATCH_EVENTS;

/// The longest interval or timeout: a day. A longer one is taken for a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time of retries: 30 days. A longer one is taken for a mistake, because the events wait in memory, and
/// hardly any process runs for longer.
const LONGEST_RETRYING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Checks the key and the numbers.
pub(super) fn check(settings: &Segment) -> Result<(), SettingsError> {
    if !settings.disabled {
        settings.key.check()?;
    }
    if !(1..=MAX_BATCH_EVENTS).contains(&settings.flush_at_or_default()) {
        return Err(SettingsError::new("flush_at", settings.flush_at_or_default(), "must be between 1 and 2500"));
    }
    for (setting, limit) in settings.retry.limits() {
        if limit > LONGEST_RETRYING {
            return Err(SettingsError::new(setting, limit, "must be at most 30 days"));
        }
    }
    check_duration("flush_interval", settings.flush_interval)?;
    check_duration("http_request_timeout", settings.http_request_timeout)?;
    match settings.max_in_flight {
        0 => Err(SettingsError::new("max_in_flight", 0, "must be at least 1")),
        _ => Ok(()),
    }
}

/// Checks that a duration is between a millisecond and a day. Any other is taken for a mistake of units.
fn check_duration(setting: &'static str, value: Duration) -> Result<(), SettingsError> {
    if (Duration::from_millis(1)..=LONGEST).contains(&value) {
        return Ok(());
    }
    Err(SettingsError::new(setting, value, "must be between a millisecond and a day"))
}
