//! Settings from environment variables.

use std::str::FromStr;

use super::{Settings, duration};
use crate::error::SettingsError;
use crate::plugin::Overflow;
use crate::segment::Region;

const PREFIX: &str = "TRACKLANE_";

/// Reads the variables that begin with the prefix; the others are somebody else's.
pub(super) fn read(variables: impl Iterator<Item = (String, String)>) -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    for (name, value) in variables {
        if let Some(setting) = name.strip_prefix(PREFIX) {
            apply(&mut settings, setting, &value)?;
        }
    }
    Ok(settings)
}

fn apply(settings: &mut Settings, name: &str, value: &str) -> Result<(), SettingsError> {
    match name {
        "WRITE_KEY" => value.clone_into(&mut settings.write_key),
        "HOST" => settings.host = Some(value.to_owned()),
        "REGION" => settings.region = Some(region(value)?),
        "PATH" => settings.path = Some(value.to_owned()),
        "ALLOW_PLAINTEXT" => settings.allow_plaintext = Some(switch("allow_plaintext", value)?),
        "FLUSH_AT" => settings.flush_at = Some(number("flush_at", value)?),
        "FLUSH_INTERVAL" => settings.flush_interval = Some(time("flush_interval", value)?),
        "HTTP_REQUEST_TIMEOUT" => settings.http_request_timeout = Some(time("http_request_timeout", value)?),
        "MAX_RETRIES" => settings.max_retries = Some(number("max_retries", value)?),
        "MAX_TOTAL_BACKOFF" => settings.max_total_backoff = Some(time("max_total_backoff", value)?),
        "MAX_RATE_LIMIT" => settings.max_rate_limit = Some(time("max_rate_limit", value)?),
        "MAX_IN_FLIGHT" => settings.max_in_flight = Some(number("max_in_flight", value)?),
        "MAX_QUEUE_SIZE" => settings.max_queue_size = Some(number("max_queue_size", value)?),
        "MAX_QUEUE_BYTES" => settings.max_queue_bytes = Some(number("max_queue_bytes", value)?),
        "OVERFLOW" => settings.overflow = Some(overflow(value)?),
        "GZIP" => settings.gzip = Some(switch("gzip", value)?),
        "PROXY" => settings.proxy = Some(value.to_owned()),
        "USER_AGENT" => settings.user_agent = Some(value.to_owned()),
        "DISABLE" => settings.disable = Some(switch("disable", value)?),
        unknown => {
            let problem = format!("the environment variable {PREFIX}{unknown} names no setting");
            return Err(SettingsError::without_value("environment", problem));
        }
    }
    Ok(())
}

fn number<T: FromStr>(setting: &'static str, value: &str) -> Result<T, SettingsError> {
    value.trim().parse().map_err(|_| SettingsError::new(setting, value, "must be a whole number"))
}

fn switch(setting: &'static str, value: &str) -> Result<bool, SettingsError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(SettingsError::new(setting, value, "must be true or false")),
    }
}

fn time(setting: &'static str, value: &str) -> Result<std::time::Duration, SettingsError> {
    duration::parse(value.trim()).map_err(|problem| SettingsError::new(setting, value, problem))
}

fn region(value: &str) -> Result<Region, SettingsError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "oregon" => Ok(Region::Oregon),
        "dublin" => Ok(Region::Dublin),
        _ => Err(SettingsError::new("region", value, "must be oregon or dublin")),
    }
}

fn overflow(value: &str) -> Result<Overflow, SettingsError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "refuse_new" => Ok(Overflow::RefuseNew),
        "drop_oldest" => Ok(Overflow::DropOldest),
        _ => Err(SettingsError::new("overflow", value, "must be refuse_new or drop_oldest")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read_one(name: &str, value: &str) -> Result<Settings, SettingsError> {
        read([(name.to_owned(), value.to_owned())].into_iter())
    }

    #[test]
    fn every_setting_of_a_file_can_come_from_the_environment() {
        let table = [
            ("WRITE_KEY", "\"k\"", "k"),
            ("HOST", "\"https://h\"", "https://h"),
            ("REGION", "\"dublin\"", "dublin"),
            ("PATH", "\"/p\"", "/p"),
            ("ALLOW_PLAINTEXT", "true", "1"),
            ("FLUSH_AT", "7", "7"),
            ("FLUSH_INTERVAL", "\"2s\"", "2000"),
            ("HTTP_REQUEST_TIMEOUT", "1500", "1500ms"),
            ("MAX_RETRIES", "3", " 3 "),
            ("MAX_TOTAL_BACKOFF", "\"1h 30m\"", "90m"),
            ("MAX_RATE_LIMIT", "\"1m\"", "60s"),
            ("MAX_IN_FLIGHT", "2", "2"),
            ("MAX_QUEUE_SIZE", "5", "5"),
            ("MAX_QUEUE_BYTES", "6", "6"),
            ("OVERFLOW", "\"drop_oldest\"", "drop_oldest"),
            ("GZIP", "true", "yes"),
            ("PROXY", "\"http://p\"", "http://p"),
            ("USER_AGENT", "\"u\"", "u"),
            ("DISABLE", "false", "off"),
        ];
        for (name, json, value) in table {
            let from_env = read_one(&format!("{PREFIX}{name}"), value).unwrap();
            let file = format!("{{{:?}: {json}}}", name.to_lowercase());
            let from_file: Settings = serde_json::from_str(&file).unwrap();
            assert_eq!(fields(&from_env), fields(&from_file), "{name}");
            assert_ne!(fields(&from_env), fields(&Settings::default()), "{name} is read");
        }
    }

    /// Everything that a setting can say, as text.
    fn fields(settings: &Settings) -> String {
        let Settings { write_key, host, region, path, allow_plaintext, flush_at, flush_interval, .. } = settings;
        let Settings { http_request_timeout, max_retries, max_total_backoff, max_rate_limit, .. } = settings;
        let Settings { max_in_flight, max_queue_size, max_queue_bytes, overflow, gzip, proxy, .. } = settings;
        let first = (write_key, host, region, path, allow_plaintext, flush_at, flush_interval);
        let second = (http_request_timeout, max_retries, max_total_backoff, max_rate_limit);
        let third = (max_in_flight, max_queue_size, max_queue_bytes, overflow, gzip, proxy);
        format!("{first:?} {second:?} {third:?} {:?} {:?}", settings.user_agent, settings.disable)
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named_with_its_value() {
        let table = [
            ("TRACKLANE_FLUSH_AT", "many", "flush_at"),
            ("TRACKLANE_FLUSH_INTERVAL", "soon", "flush_interval"),
            ("TRACKLANE_FLUSH_INTERVAL", "-1s", "flush_interval"),
            ("TRACKLANE_GZIP", "maybe", "gzip"),
            ("TRACKLANE_REGION", "moon", "region"),
            ("TRACKLANE_OVERFLOW", "explode", "overflow"),
            ("TRACKLANE_FLUSH_ATT", "1", "TRACKLANE_FLUSH_ATT"),
        ];
        for (name, value, named) in table {
            let error = read_one(name, value).unwrap_err().to_string();
            assert!(error.contains(named), "{name}={value}: {error}");
        }
        assert!(read_one("PATH", "/bin").unwrap().path.is_none(), "other variables are not ours");
    }

    #[test]
    fn durations_have_units_or_are_milliseconds() {
        assert_eq!(duration::parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration::parse("250"), Ok(Duration::from_millis(250)));
        assert!(duration::parse("-5s").is_err());
        assert!(serde_json::from_str::<Settings>(r#"{"flush_interval": -5}"#).is_err());
        assert!(serde_json::from_str::<Settings>(r#"{"flush_intervall": 5}"#).is_err(), "unknown settings are errors");
    }
}
