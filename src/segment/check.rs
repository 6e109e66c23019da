//! The ranges of the settings that are numbers, and the write key.

use std::time::Duration;

use super::Segment;
use crate::error::SettingsError;
use crate::event::MAX_BATCH_EVENTS;

/// The longest interval or timeout that is not taken for a mistake: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time of retries that is not taken for a mistake: 30 days. The events wait in memory, and hardly any
/// process keeps its memory for longer.
const LONGEST_RETRYING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Checks the key and the numbers.
pub(super) fn check(settings: &Segment) -> Result<(), SettingsError> {
    if !settings.disabled {
        settings.key.check()?;
    }
    if !(1..=MAX_BATCH_EVENTS).contains(&settings.flush_at) {
        return Err(SettingsError::new("flush_at", settings.flush_at, "must be between 1 and 2500"));
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

/// Checks that a duration is between a millisecond and a day. Anything else is taken for a mistake of units.
fn check_duration(setting: &'static str, value: Duration) -> Result<(), SettingsError> {
    if (Duration::from_millis(1)..=LONGEST).contains(&value) {
        return Ok(());
    }
    Err(SettingsError::new(setting, value, "must be between a millisecond and a day"))
}
