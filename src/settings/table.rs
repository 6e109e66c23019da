//! The table of the settings. Each setting is written once.
//!
//! The macros derive from a row: the field, its name in a file and in the environment, how it is read, whether errors
//! may show it, and the setter that gets it. A test compares the table with docs/SETTINGS.md.

use std::time::Duration;

use super::read;
use crate::builder::Builder;
use crate::error::SettingsErrors;
use crate::event::Context;
use crate::plugin::{Overflow, RetryPolicy};
#[cfg(feature = "oauth")]
use crate::segment::OAuth;
use crate::segment::{Region, Segment};

/// Calls the setter of this type, if the row names one.
macro_rules! give {
    (Builder, $settings:ident, $to:ident, $name:ident, Builder::$setter:ident) => {
        give!(@ $settings, $to, $name, Builder::$setter)
    };
    (Segment, $settings:ident, $to:ident, $name:ident, Segment::$setter:ident) => {
        give!(@ $settings, $to, $name, Segment::$setter)
    };
    (RetryPolicy, $settings:ident, $to:ident, $name:ident, RetryPolicy::$setter:ident) => {
        give!(@ $settings, $to, $name, RetryPolicy::$setter)
    };
    (OAuth, $settings:ident, $to:ident, $name:ident, OAuth::$setter:ident) => {
        give!(@ $settings, $to, $name, OAuth::$setter)
    };
    (@ $settings:ident, $to:ident, $name:ident, $setter:path) => {
        if let Some(value) = &$settings.$name {
            $to = $setter($to, value.clone());
        }
    };
    ($($another:tt)*) => {};
}

macro_rules! is_secret {
    () => {
        false
    };
    (secret) => {
        true
    };
}

macro_rules! settings {
    ($(#[$doc:meta])* pub struct $settings:ident;
     $($name:ident: $type:ty = $read:ident $($secret:ident)? $(=> $part:ident::$setter:ident)?;)*) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $settings {
            $(pub(super) $name: Option<$type>,)*
            /// What could not be read.
            pub(super) errors: SettingsErrors,
        }

        /// The names of all settings.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl $settings {
            /// Reads the value of one setting. Null sets nothing. Returns `None` if there is no setting of that name.
            pub(super) fn read(&mut self, name: &str, value: &serde_json::Value) -> Option<Result<(), &'static str>> {
                Some(match name {
                    $(stringify!($name) => read::$read(value).map(|value| self.$name = value),)*
                    _ => return None,
                })
            }

            /// Returns whether an error must hide the value. A misspelt `write_key` holds a key, too.
            pub(super) fn is_secret(name: &str) -> bool {
                match name {
                    $(stringify!($name) => is_secret!($($secret)?),)*
                    _ => true,
                }
            }

            /// Returns the names of the settings that are set.
            pub(super) fn written(&self) -> impl Iterator<Item = &'static str> {
                let written = [$(self.$name.is_some().then_some(stringify!($name))),*];
                written.into_iter().flatten()
            }

            /// Takes each setting that is not set from `fallback`, and what was wrong there.
            pub(super) fn fill(self, fallback: Self) -> Self {
                let mut errors = self.errors;
                errors.append(fallback.errors);
                Self { $($name: self.$name.or(fallback.$name),)* errors }
            }

            pub(super) fn give_builder(&self, mut to: Builder) -> Builder {
                $(give!(Builder, self, to, $name $(, $part::$setter)?);)*
                to
            }

            pub(super) fn give_segment(&self, mut to: Segment) -> Segment {
                $(give!(Segment, self, to, $name $(, $part::$setter)?);)*
                to
            }

            pub(super) fn give_retry(&self, mut to: RetryPolicy) -> RetryPolicy {
                $(give!(RetryPolicy, self, to, $name $(, $part::$setter)?);)*
                to
            }

            #[cfg(feature = "oauth")]
            pub(super) fn give_oauth(&self, mut to: OAuth) -> OAuth {
                $(give!(OAuth, self, to, $name $(, $part::$setter)?);)*
                to
            }
        }
    };
}

settings! {
    /// Settings as data, for any format that serde reads.
    ///
    /// Durations are strings with units (`"10s"`, `"500ms"`, `"1h 30m"`) or numbers of milliseconds, and sizes strings with
    /// units (`"10 MiB"`, `"500 KB"`) or numbers of bytes.
    ///
    /// A setting that cannot be read is an error of [`into_builder`](Self::into_builder), not of the format's reader, which
    /// may quote the file and so a secret. The error names each such setting and, unless it may be a secret, its value.
    ///
    /// ```
    /// use tracklane::Settings;
    ///
    /// let settings: Settings = serde_json::from_str(
    ///     r#"{ "write_key": "WRITE_KEY", "region": "dublin", "flush_at": 100, "flush_interval": "5s" }"#,
    /// )?;
    /// let analytics = settings.into_builder()?.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Settings;

    write_key: String = text secret;
    host: String = text => Segment::host;
    region: Region = region => Segment::region;
    path: String = text => Segment::path;
    allow_plaintext: bool = switch => Segment::allow_plaintext;
    flush_at: usize = number => Segment::flush_at;
    flush_interval: Duration = duration => Segment::flush_interval;
    http_request_timeout: Duration = duration => Segment::http_request_timeout;
    max_retries: u32 = number => RetryPolicy::max_retries;
    max_total_backoff: Duration = duration => RetryPolicy::max_total_backoff;
    max_rate_limit: Duration = duration => RetryPolicy::max_rate_limit;
    max_in_flight: usize = number => Segment::max_in_flight;
    max_queue_size: usize = number => Builder::max_queue_size;
    max_queue_bytes: usize = size => Builder::max_queue_bytes;
    overflow: Overflow = overflow => Builder::overflow;
    gzip: bool = switch => Segment::gzip;
    proxy: String = text secret => Segment::proxy;
    user_agent: String = text => Segment::user_agent;
    disable: bool = switch => Builder::disable;
    disable_all: bool = switch => Builder::disable_all;
    context: Context = object secret => Builder::context;
    inspector: String = text secret => Builder::inspector;
    allow_remote_inspector: bool = switch => Builder::allow_remote_inspector;
    oauth_client_id: String = text;
    oauth_private_key: String = text secret;
    oauth_key_id: String = text;
    oauth_auth_server: String = text => OAuth::auth_server;
    oauth_scope: String = text => OAuth::scope;
    oauth_max_retries: u32 = number => OAuth::max_retries;
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_page_has_every_setting_in_this_order() {
        let page = include_str!("../../docs/SETTINGS.md");
        let table = page.split("\n## ").next().unwrap();
        let names: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(names, NAMES);
    }
}
