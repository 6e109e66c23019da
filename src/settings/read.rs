//! One reader of what is written in a file or in the environment.
//!
//! Always: an error names the setting and, unless it may be a secret, what was written. What is no text of its own is
//! read from its text, so that `7` is `"7"` and `true` is `"yes"`, wherever it stands. Whether a value can be used is
//! not asked here: `build` does that.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Settings, duration};
use crate::error::SettingsError;

/// Every setting that can be written.
pub(super) const NAMES: &[&str] = &[
    "write_key",
    "host",
    "region",
    "path",
    "allow_plaintext",
    "flush_at",
    "flush_interval",
    "http_request_timeout",
    "max_retries",
    "max_total_backoff",
    "max_rate_limit",
    "max_in_flight",
    "max_queue_size",
    "max_queue_bytes",
    "overflow",
    "gzip",
    "proxy",
    "user_agent",
    "disable",
    "disable_all",
    "context",
    "oauth_client_id",
    "oauth_private_key",
    "oauth_key_id",
    "oauth_auth_server",
    "oauth_scope",
    "oauth_max_retries",
];

/// Sets one setting as it is written; null sets nothing.
pub(super) fn set(settings: &mut Settings, name: &str, value: &Value) -> Result<(), SettingsError> {
    read(settings, name, value).map_err(|problem| match may_be_secret(name, value) {
        true => SettingsError::without_value(name.to_owned(), problem),
        false => SettingsError::new(name.to_owned(), format_args!("{value}"), problem),
    })
}

fn read(settings: &mut Settings, name: &str, value: &Value) -> Result<(), String> {
    match name {
        "write_key" => settings.write_key = text(value)?,
        "host" => settings.host = text(value)?,
        "region" => settings.region = named(value, "must be oregon or dublin")?,
        "path" => settings.path = text(value)?,
        "allow_plaintext" => settings.allow_plaintext = switch(value)?,
        "flush_at" => settings.flush_at = number(value)?,
        "flush_interval" => settings.flush_interval = time(value)?,
        "http_request_timeout" => settings.http_request_timeout = time(value)?,
        "max_retries" => settings.max_retries = number(value)?,
        "max_total_backoff" => settings.max_total_backoff = time(value)?,
        "max_rate_limit" => settings.max_rate_limit = time(value)?,
        "max_in_flight" => settings.max_in_flight = number(value)?,
        "max_queue_size" => settings.max_queue_size = number(value)?,
        "max_queue_bytes" => settings.max_queue_bytes = number(value)?,
        "overflow" => settings.overflow = named(value, "must be refuse_new or drop_oldest")?,
        "gzip" => settings.gzip = switch(value)?,
        "proxy" => settings.proxy = text(value)?,
        "user_agent" => settings.user_agent = text(value)?,
        "disable" => settings.disable = switch(value)?,
        "disable_all" => settings.disable_all = switch(value)?,
        "context" => settings.context = object(value)?.map(Into::into),
        "oauth_client_id" => settings.oauth.client_id = text(value)?,
        "oauth_private_key" => settings.oauth.private_key = text(value)?,
        "oauth_key_id" => settings.oauth.key_id = text(value)?,
        "oauth_auth_server" => settings.oauth.auth_server = text(value)?,
        "oauth_scope" => settings.oauth.scope = text(value)?,
        "oauth_max_retries" => settings.oauth.max_retries = number(value)?,
        unknown => {
            let variable = unknown.to_uppercase();
            return Err(format!("does not exist (TRACKLANE_{variable} in the environment): see docs/SETTINGS.md"));
        }
    }
    Ok(())
}

/// Whether an error must not show the value. A misspelt `write_key` holds a key as well.
fn may_be_secret(name: &str, value: &Value) -> bool {
    matches!(name, "write_key" | "proxy" | "context" | "oauth_private_key")
        || !NAMES.contains(&name)
        || value.to_string().contains('@')
}

type Read<T> = Result<Option<T>, &'static str>;

/// Text as it is. A number is refused, since its zeros and digits may be lost already.
fn text(value: &Value) -> Read<String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err("must be text: write it in quotes"),
    }
}

/// What is no text of its own, read from its text.
fn scalar<T>(value: &Value, expected: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(expected),
    };
    parse(text.trim()).map(Some).ok_or(expected)
}

fn number<T: FromStr>(value: &Value) -> Read<T> {
    scalar(value, "must be a whole number", |text| text.parse().ok())
}

fn time(value: &Value) -> Read<Duration> {
    scalar(value, "must be a duration like \"10s\" or \"500ms\", or a number of milliseconds", duration::parse)
}

fn switch(value: &Value) -> Read<bool> {
    scalar(value, "must be true or false", |text| match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    })
}

/// One of the names that the type has for serde.
fn named<T: DeserializeOwned>(value: &Value, expected: &'static str) -> Read<T> {
    scalar(value, expected, |text| serde_json::from_value(text.to_ascii_lowercase().into()).ok())
}

/// An object, or the text of one.
fn object(value: &Value) -> Read<serde_json::Map<String, Value>> {
    const EXPECTED: &str = "must be a JSON object";
    match value {
        Value::Null => Ok(None),
        Value::Object(object) => Ok(Some(object.clone())),
        Value::String(text) => serde_json::from_str(text).map(Some).map_err(|_| EXPECTED),
        _ => Err(EXPECTED),
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Settings", NAMES, OneByOne)
    }
}

struct OneByOne;

impl<'de> Visitor<'de> for OneByOne {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings, each under its name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
        let mut settings = Settings::default();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = value_of(&name, &mut map)?;
            set(&mut settings, &name, &value).map_err(A::Error::custom)?;
            if let Some(twice) = seen.replace(name) {
                return Err(A::Error::custom(format_args!("setting {twice}: is set twice")));
            }
        }
        Ok(settings)
    }
}

/// The value of the setting `name`. RON has names without quotes, which look like null unless an option is asked for:
/// `region: dublin` must not be taken for no region.
fn value_of<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Value, A::Error> {
    if !matches!(name, "region" | "overflow") {
        return map.next_value();
    }
    match map.next_value()? {
        Some(Value::Null) => Err(A::Error::custom(format_args!("setting {name}: must be in quotes"))),
        value => Ok(value.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_with_its_value_wherever_it_stands() {
        let table = [
            ("flush_at", "\"many\"", "must be a whole number"),
            ("flush_at", "-1", "must be a whole number"),
            ("flush_at", "1.5", "must be a whole number"),
            ("max_retries", "[[]]", "must be a whole number"),
            ("flush_interval", "\"soon\"", "must be a duration like \"10s\" or \"500ms\", or a number of milliseconds"),
            ("flush_interval", "-5", "must be a duration like \"10s\" or \"500ms\", or a number of milliseconds"),
            ("max_rate_limit", "true", "must be a duration like \"10s\" or \"500ms\", or a number of milliseconds"),
            ("gzip", "\"maybe\"", "must be true or false"),
            ("region", "\"moon\"", "must be oregon or dublin"),
            ("overflow", "{}", "must be refuse_new or drop_oldest"),
            ("host", "7", "must be text: write it in quotes"),
        ];
        for (name, json, problem) in table {
            let value: Value = serde_json::from_str(json).unwrap();
            let said = format!("setting {name} is {value}: {problem}");
            assert_eq!(set(&mut Settings::default(), name, &value).unwrap_err().to_string(), said);
            let file = format!("{{{name:?}: {json}}}");
            let error = serde_json::from_str::<Settings>(&file).unwrap_err().to_string();
            assert!(error.starts_with(&said), "{file}: {error}");
        }
    }

    #[test]
    fn no_error_shows_what_may_be_a_secret() {
        let secret = serde_json::json!(["secret"]);
        for name in ["write_key", "proxy", "context", "oauth_private_key", "write_kee"] {
            let error = set(&mut Settings::default(), name, &secret).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(name) && !shown.contains("secret"), "{shown}");
        }
        let host = serde_json::json!(["https://user:secret@h"]);
        assert!(!set(&mut Settings::default(), "host", &host).unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn null_sets_nothing() {
        for name in NAMES {
            let file: Settings = serde_json::from_value(serde_json::json!({*name: null})).unwrap();
            assert_eq!(file, Settings::default(), "{name}");
        }
        assert!(serde_json::from_str::<Settings>(r#"{"flush_att": null}"#).is_err(), "not even what there is not");
    }

    #[test]
    fn a_setting_that_does_not_exist_or_is_set_twice_is_an_error() {
        let error = serde_json::from_str::<Settings>(r#"{"flush_att": 5}"#).unwrap_err().to_string();
        assert!(error.starts_with("setting flush_att: does not exist"), "{error}");
        let error = serde_json::from_str::<Settings>(r#"{"flush_at": 5, "flush_at": 6}"#).unwrap_err().to_string();
        assert!(error.starts_with("setting flush_at: is set twice"), "{error}");
    }

    #[test]
    fn settings_can_be_part_of_a_larger_file() {
        #[derive(Deserialize)]
        struct Service {
            port: u16,
            #[serde(flatten)]
            settings: Settings,
        }
        let service: Service = serde_json::from_str(r#"{"port": 80, "flush_at": 5}"#).unwrap();
        assert_eq!((service.port, service.settings.flush_at), (80, Some(5)));
    }

    #[test]
    fn ron_may_write_options_as_such() {
        let json: Settings = serde_json::from_str(r#"{"region": "dublin", "flush_interval": "5s"}"#).unwrap();
        for ron in [
            r#"(region: Some("dublin"), flush_interval: "5s", proxy: None)"#,
            r#"Settings(region: Some("Dublin"), flush_interval: Some("5s"), overflow: None)"#,
            r#"#![enable(implicit_some)] (region: "dublin", flush_interval: 5000)"#,
        ] {
            assert_eq!(ron::from_str::<Settings>(ron).unwrap(), json, "{ron}");
        }
        for ron in ["(region: dublin)", "(region: Some(dublin))", "#![enable(implicit_some)] (overflow: drop_oldest)"] {
            ron::from_str::<Settings>(ron).expect_err("a name that would be lost");
        }
    }
}
