//! The errors that more than one part of the crate has.

use std::borrow::Cow;
use std::fmt;

/// An error of any type, as tower's middleware has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The error of a setting that cannot be used. It names the setting, the value and the problem.
#[derive(Debug)]
pub struct SettingsError {
    setting: Cow<'static, str>,
    value: String,
    problem: String,
    source: Option<BoxError>,
}

impl SettingsError {
    pub(crate) fn new(
        setting: impl Into<Cow<'static, str>>,
        value: impl fmt::Debug,
        problem: impl Into<String>,
    ) -> Self {
        Self { setting: setting.into(), value: format!("{value:?}"), problem: problem.into(), source: None }
    }

    /// The value of this setting is a secret, or there is none.
    pub(crate) fn without_value(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), value: String::new(), problem: problem.into(), source: None }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn http_client(what: &str, source: BoxError) -> Self {
        Self::without_value("http_client", format!("{what} cannot be used")).caused_by(source)
    }

    pub(crate) fn no_thread(source: std::io::Error) -> Self {
        Self::without_value("runtime", "the background thread cannot be started").caused_by(source)
    }

    /// The name of the setting.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// The value, unless it is a secret.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_str() {
            "" => write!(f, "setting {}: {}", self.setting, self.problem),
            value => write!(f, "setting {} is {value}: {}", self.setting, self.problem),
        }
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
