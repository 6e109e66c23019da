//! Reads settings from any format of serde, one by one.
//!
//! Invariant: an error names the setting and, unless it may be a secret, the value. It is kept with the settings, because
//! the format's reader may show a part of the file beside an error, and so a secret.

use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::similar::similar_name;
use super::table::{NAMES, Settings};
use crate::error::SettingsError;

/// Sets one setting to its written value. Null sets nothing.
pub(super) fn set(settings: &mut Settings, name: &str, value: &Value) -> Result<(), SettingsError> {
    let problem = match settings.read(name, value) {
        Some(Ok(())) => return Ok(()),
        Some(Err(problem)) => problem,
        None => {
            let meant = similar_name(name, NAMES.iter().copied());
            let meant = meant.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
            let problem = format!("does not exist{meant} (docs/SETTINGS.md has all)");
            return Err(SettingsError::unknown(name.to_owned(), problem));
        }
    };
    // A value with an `@` may be a URL with a password.
    Err(match Settings::is_secret(name) || value.to_string().contains('@') {
        true => SettingsError::without_value(name.to_owned(), problem),
        false => SettingsError::new(name.to_owned(), format_args!("{value}"), problem),
    })
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
            let Written::Value(value) = map.next_value()?;
            if let Err(error) = set(&mut settings, &name, &value) {
                settings.errors.add(error);
            }
            if let Some(twice) = seen.replace(name) {
                settings.errors.add(SettingsError::without_value(twice, "is set twice"));
            }
        }
        Ok(settings)
    }
}

/// A value as it is written. It is read as an untagged enum, so that formats with names without quotes give them as
/// text. Otherwise RON's `region: dublin` would be taken for null.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Value(Value),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The error of a client with the settings of this file.
    fn error_of(file: &str) -> String {
        serde_json::from_str::<Settings>(file).unwrap().into_builder().map(drop).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_value_wherever_it_stands() {
        let table = [
            ("flush_at", "\"many\"", "must be a whole number, not negative and of a usual size"),
            ("flush_at", "-1", "must be a whole number, not negative and of a usual size"),
            ("flush_at", "1.5", "must be a whole number, not negative and of a usual size"),
            ("max_retries", "[[]]", "must be a whole number, not negative and of a usual size"),
            (
                "flush_interval",
                "\"soon\"",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "flush_interval",
                "\"\"",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "flush_interval",
                "\"-5s\"",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "flush_interval",
                "1.5",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "flush_interval",
                "\"9 parsecs\"",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "flush_interval",
                "-5",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
            (
                "max_rate_limit",
                "true",
                "must be a duration like \"10s\", \"500ms\" or \"7d\", or a number of milliseconds",
            ),
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
            let error = error_of(&file);
            assert!(error.starts_with(&said), "{file}: {error}");
        }
    }

    #[test]
    fn durations_have_units_or_are_milliseconds() {
        for (json, expected) in [
            ("\"10s\"", Duration::from_secs(10)),
            ("\"1h 30m\"", Duration::from_secs(90 * 60)),
            ("\"1h30m\"", Duration::from_secs(90 * 60)),
            ("\"2d\"", Duration::from_secs(48 * 60 * 60)),
            ("\"1w 1d\"", Duration::from_secs(8 * 24 * 60 * 60)),
            ("\"250\"", Duration::from_millis(250)),
            ("0", Duration::ZERO),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(super::super::read::duration(&value), Ok(Some(expected)), "{json}");
        }
    }

    #[test]
    fn sizes_have_units_or_are_bytes() {
        for (json, bytes) in [
            ("\"10 MiB\"", Some(10 << 20)),
            ("\"10MiB\"", Some(10 << 20)),
            ("\"500 KB\"", Some(500_000)),
            ("\"500kb\"", Some(500_000)),
            ("\"1.5 GiB\"", Some(3 << 29)),
            ("\"64 B\"", Some(64)),
            ("\" 65536 \"", Some(65_536)),
            ("65536", Some(65_536)),
            ("\"ten MB\"", None),
            ("\"10 MBit\"", None),
            ("\"10 s\"", None),
            ("\"-1 KB\"", None),
            ("-1", None),
            ("1.5", None),
            ("\"\"", None),
            ("\"99999999999999999999 EB\"", None),
            ("[]", None),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            let mut settings = Settings::default();
            let read = set(&mut settings, "max_queue_bytes", &value).map(|()| settings.max_queue_bytes);
            match bytes {
                Some(_) => assert_eq!(read.unwrap(), bytes, "{json}"),
                None => {
                    let said = format!(
                        "setting max_queue_bytes is {value}: must be a size like \"10 MiB\" or \"500 KB\", or a number of bytes"
                    );
                    assert_eq!(read.unwrap_err().to_string(), said);
                }
            }
        }
    }

    #[test]
    fn all_that_is_wrong_in_a_file_is_said_at_once() {
        let file = r#"{"flushAt": 5, "gzip": "maybe", "write_key": 7, "max_in_flight": 0, "max_queue_bytes": 1}"#;
        let said = error_of(file);
        let begins = [
            "setting flushAt: does not exist; did you mean `flush_at`?",
            "setting gzip is \"maybe\": must be true or false",
            "setting write_key: must be text",
            "setting max_in_flight is 0: must be at least 1",
            "setting max_queue_bytes is 1: must be at least 32768",
        ];
        assert_eq!(said.lines().count(), begins.len(), "{said}");
        for (line, begin) in said.lines().zip(begins) {
            assert!(line.starts_with(begin), "{line}");
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
        let said = error_of(r#"{"flush_att": null}"#);
        assert!(said.starts_with("setting flush_att: does not exist"), "not even what there is not: {said}");
    }

    #[test]
    fn a_setting_that_does_not_exist_or_is_set_twice_is_an_error() {
        let error = error_of(r#"{"flush_att": 5}"#);
        // Nobody has set a variable.
        let said = "setting flush_att: does not exist; did you mean `flush_at`? (docs/SETTINGS.md has all)";
        assert!(error.starts_with(said), "{error}");
        for name in ["flushAt", "FLUSH_AT", "flush-at", "flushAtt", "flsuh_at"] {
            let error = error_of(&format!("{{{name:?}: 5}}"));
            let said = format!("setting {name}: does not exist; did you mean `flush_at`? (");
            assert!(error.starts_with(&said), "{error}");
        }
        let error = error_of(r#"{"verbosity": 5}"#);
        assert!(error.starts_with("setting verbosity: does not exist (docs/SETTINGS.md has all)"), "{error}");
        let error = error_of(r#"{"flush_at": 5, "flush_at": 6}"#);
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
    fn ron_may_write_options_and_names_as_such() {
        let json: Settings = serde_json::from_str(r#"{"region": "dublin", "flush_interval": "5s"}"#).unwrap();
        for ron in [
            r#"(region: Some("dublin"), flush_interval: "5s", proxy: None)"#,
            r#"Settings(region: Some("Dublin"), flush_interval: Some("5s"), overflow: None)"#,
            r#"#![enable(implicit_some)] (region: "dublin", flush_interval: 5000)"#,
            r#"(region: "dublin", flush_interval: "5s")"#,
            r#"(region: dublin, flush_interval: "5s")"#,
            r#"(region: Some(dublin), flush_interval: Some("5s"))"#,
        ] {
            assert_eq!(ron::from_str::<Settings>(ron).unwrap(), json, "{ron}");
        }
        assert_eq!(
            ron::from_str::<Settings>("(overflow: drop_oldest, gzip: yes)").unwrap(),
            serde_json::from_str(r#"{"overflow": "drop_oldest", "gzip": true}"#).unwrap()
        );
    }
}
