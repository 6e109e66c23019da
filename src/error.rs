//! Errors that several parts of the crate share.

use std::borrow::Cow;
use std::fmt;

/// An error of any type, as tower's middleware has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The error of a setting that cannot be used. It names the setting, the value and the problem.
pub struct SettingsError {
    kind: SettingsErrorKind,
    setting: Cow<'static, str>,
    value: String,
    problem: String,
    source: Option<BoxError>,
}

/// The kind of a [`SettingsError`].
///
/// Non-exhaustive, because a kind may be split off from `Invalid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettingsErrorKind {
    /// The value cannot be read, or cannot be used.
    Invalid,
    /// A required setting is not set.
    Missing,
    /// There is no setting of that name.
    Unknown,
    /// The machine lacks what the setting needs: a thread, or the certificates of an HTTP client.
    Unavailable,
}

impl SettingsError {
    pub(crate) fn new(
        setting: impl Into<Cow<'static, str>>,
        value: impl fmt::Debug,
        problem: impl Into<String>,
    ) -> Self {
        Self { value: format!("{value:?}"), ..Self::without_value(setting, problem) }
    }

    /// An error without a value: the value is a secret, or there is none.
    pub(crate) fn without_value(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        let (setting, problem) = (setting.into(), problem.into());
        Self { kind: SettingsErrorKind::Invalid, setting, value: String::new(), problem, source: None }
    }

    /// A required setting is not set.
    pub(crate) fn missing(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { kind: SettingsErrorKind::Missing, ..Self::without_value(setting, problem) }
    }

    /// There is no such setting. Its value may be a secret, so it is not shown.
    pub(crate) fn unknown(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { kind: SettingsErrorKind::Unknown, ..Self::without_value(setting, problem) }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn http_client(what: &str, source: BoxError) -> Self {
        let error = Self::without_value("http_client", format!("{what} cannot be used")).caused_by(source);
        Self { kind: SettingsErrorKind::Unavailable, ..error }
    }

    pub(crate) fn no_thread(source: std::io::Error) -> Self {
        let error = Self::without_value("runtime", "the background thread cannot be started").caused_by(source);
        Self { kind: SettingsErrorKind::Unavailable, ..error }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> SettingsErrorKind {
        self.kind
    }

    /// Returns the name of the setting.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the value, unless it is a secret.
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

/// As a `main` that returns it prints it: the message and its causes.
impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingsError({})", crate::supervise::text_with_causes(self))
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
