//! Settings from environment variables.

use std::ffi::OsString;

use serde_json::Value;

use super::deserialize::set;
use super::similar::similar_name;
use super::table::{NAMES, Settings};
use crate::analytics::Analytics;
use crate::error::{SettingsError, SettingsErrors};

const PREFIX: &str = "TRACKLANE_";

impl Analytics {
    /// Starts a client with the settings of the environment: `TRACKLANE_WRITE_KEY` and others. See [`Settings`].
    ///
    /// # Errors
    ///
    /// Returns an error if a variable cannot be read as its setting, or a setting cannot be used.
    pub fn from_env() -> Result<Self, SettingsError> {
        let (settings, mut errors) = read(std::env::vars_os());
        if errors.is_empty() {
            return settings.into_builder()?.build();
        }
        // Nothing comes from anywhere else, so what is missing is known, too.
        settings.check_missing(&mut errors);
        settings.read_with(errors)?.into_builder()?.build()
    }
}

/// Reads the variables that begin with the prefix. An empty one counts as not set.
pub(super) fn settings(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Settings, SettingsError> {
    let (settings, errors) = read(variables);
    settings.read_with(errors)
}

fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> (Settings, SettingsErrors) {
    let (mut settings, mut errors) = (Settings::default(), SettingsErrors::default());
    for (name, value) in variables {
        // A name that is not UTF-8 becomes one that no setting has.
        let name = name.to_string_lossy();
        if let Some(setting) = name.strip_prefix(PREFIX) {
            errors.check(read_one(&mut settings, &name, setting.to_ascii_lowercase(), value));
        }
    }
    (settings, errors)
}

fn read_one(settings: &mut Settings, variable: &str, setting: String, value: OsString) -> Result<(), SettingsError> {
    // A file of variables cannot leave one out in any other way.
    if value.to_string_lossy().trim().is_empty() {
        return Ok(());
    }
    let Ok(value) = value.into_string() else {
        return Err(SettingsError::without_value(setting, "is not UTF-8").in_variable(variable));
    };
    if !NAMES.contains(&setting.as_str()) {
        return Err(SettingsError::unknown(setting.clone(), unknown(variable, &setting)));
    }
    set(settings, &setting, &Value::String(value)).map_err(|error| error.in_variable(variable))
}

/// Returns the problem of a variable that names no setting.
fn unknown(variable: &str, setting: &str) -> String {
    let meant = similar_name(setting, NAMES.iter().copied());
    let meant =
        meant.map(|known| format!("; did you mean `{known}` ({PREFIX}{})?", known.to_uppercase())).unwrap_or_default();
    format!("does not exist ({variable} in the environment){meant} (docs/SETTINGS.md has all)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(name: &str, value: &str) -> Result<Settings, SettingsError> {
        settings([(name.into(), value.into())].into_iter())
    }

    /// The values of each setting in a file, and in a variable.
    const TABLE: &[(&str, &str, &str)] = &[
        ("write_key", "\"k\"", "k"),
        ("host", "\"https://h\"", "https://h"),
        ("region", "\"Dublin\"", "DUBLIN"),
        ("path", "\"/p\"", "/p"),
        ("allow_plaintext", "true", "1"),
        ("flush_at", "7", "7"),
        ("flush_interval", "\"2s\"", "2000"),
        ("http_request_timeout", "1500", "1500ms"),
        ("max_retries", "\"3\"", " 3 "),
        ("max_total_backoff", "\"1h 30m\"", "90m"),
        ("max_rate_limit", "\"1m\"", "60s"),
        ("max_in_flight", "2", "2"),
        ("max_queue_size", "5", "5"),
        ("max_queue_bytes", "\"6 MiB\"", "6291456"),
        ("overflow", "\"drop_oldest\"", "Drop_Oldest"),
        ("gzip", "\"on\"", "yes"),
        ("proxy", "\"http://p\"", "http://p"),
        ("user_agent", "\"u\"", "u"),
        ("disable", "0", "off"),
        ("disable_all", "true", "on"),
        ("context", r#"{"app": {"name": "a"}}"#, r#" {"app":{"name":"a"}}"#),
        ("inspector", "\"http://127.0.0.1:8765\"", "http://127.0.0.1:8765"),
        ("allow_remote_inspector", "true", "yes"),
        ("oauth_client_id", "\"c\"", "c"),
        ("oauth_private_key", "\"p\"", "p"),
        ("oauth_key_id", "\"k\"", "k"),
        ("oauth_auth_server", "\"https://a\"", "https://a"),
        ("oauth_scope", "\"s\"", "s"),
        ("oauth_max_retries", "4", "4"),
    ];

    #[test]
    fn every_setting_of_a_file_can_come_from_the_environment() {
        assert!(TABLE.iter().map(|(name, ..)| name).eq(NAMES), "the table has them all");
        for (name, json, value) in TABLE {
            let from_env = read_one(&format!("{PREFIX}{}", name.to_uppercase()), value).unwrap();
            let from_file: Settings = serde_json::from_str(&format!("{{{name:?}: {json}}}")).unwrap();
            assert_eq!(from_env, from_file, "{name}");
            assert_ne!(from_env, Settings::default(), "{name} is read");
        }
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        for (name, ..) in TABLE {
            for empty in ["", " ", "\n"] {
                let read = read_one(&format!("{PREFIX}{}", name.to_uppercase()), empty);
                assert_eq!(read.unwrap(), Settings::default(), "{name}={empty:?}");
            }
        }
    }

    #[test]
    fn the_variables_of_others_are_passed_over() {
        for name in ["PATH", "MY_TRACKLANE_FLUSH_AT", "TRACKLANEFLUSH_AT"] {
            assert_eq!(read_one(name, "/bin").unwrap(), Settings::default(), "{name}");
        }
    }

    #[test]
    fn a_variable_that_names_no_setting_is_named_in_full_without_its_value() {
        // Kubernetes sets the second one for a service of that name.
        for name in ["TRACKLANE_FLUSH_ATT", "TRACKLANE_SERVICE_HOST", "TRACKLANE_"] {
            let error = read_one(name, "secret").unwrap_err().to_string();
            assert!(error.contains(&format!("{name} ")) && !error.contains("secret"), "{error}");
        }
        let error = read_one("TRACKLANE_FLUSHAT", "5").unwrap_err().to_string();
        let said = "setting flushat: does not exist (TRACKLANE_FLUSHAT in the environment); \
                    did you mean `flush_at` (TRACKLANE_FLUSH_AT)? (docs/SETTINGS.md has all)";
        assert_eq!(error, said);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let variables = [
            ("TRACKLANE_FLUSH_AT", "many"),
            ("TRACKLANE_GZIP", "yes"),
            ("TRACKLANE_FLUSHAT", "5"),
            ("TRACKLANE_MAX_QUEUE_SIZE", "0"),
            ("TRACKLANE_HTTP_REQUEST_TIMEOUT", "2d"),
        ];
        let error = settings(variables.map(|(name, value)| (name.into(), value.into())).into_iter()).unwrap_err();
        let said = error.to_string();
        let begins = [
            "setting flush_at is \"many\": must be a whole number, not negative and of a usual size (TRACKLANE_FLUSH_AT in the",
            "setting flushat: does not exist",
            "setting http_request_timeout is 172800s: must be",
            "setting max_queue_size is 0: must be at least 1",
        ];
        assert_eq!(said.lines().count(), begins.len(), "{said}");
        for (line, begin) in said.lines().zip(begins) {
            assert!(line.starts_with(begin), "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_an_error_only_if_it_is_ours() {
        use std::os::unix::ffi::OsStringExt;

        let read_one = |name: &[u8], value: &[u8]| {
            settings([(OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec()))].into_iter())
        };
        assert_eq!(read_one(b"OTHER\xff", b"\xff").unwrap(), Settings::default());
        assert_eq!(
            read_one(b"TRACKLANE_HOST", b"\xff").unwrap_err().to_string(),
            "setting host: is not UTF-8 (TRACKLANE_HOST in the environment)"
        );
        assert!(read_one(b"TRACKLANE_HOST\xff", b"h").is_err(), "the name of no setting");
    }
}
