//! Errors that several parts of the crate share.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// An error of any type, as tower's middleware has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The error of a setting that cannot be used. It names the setting, the value and the problem.
///
/// All settings are checked before the error is returned. If several are wrong, it displays a line for each, with its
/// causes, and [`errors`](Self::errors) has one error for each. Its kind, setting and value are then those of the first.
#[derive(Clone)]
pub struct SettingsError {
    kind: SettingsErrorKind,
    setting: Cow<'static, str>,
    // Boxed, so that a `Result` with this error stays small.
    value: Box<str>,
    problem: Box<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// One for each wrong setting, if there are several.
    several: Box<[SettingsError]>,
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
        Self { value: format!("{value:?}").into(), ..Self::without_value(setting, problem) }
    }

    /// An error without a value: the value is a secret, or there is none.
    pub(crate) fn without_value(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self {
            kind: SettingsErrorKind::Invalid,
            setting: setting.into(),
            value: Box::default(),
            problem: problem.into().into(),
            source: None,
            several: Box::default(),
        }
    }

    /// A required setting is not set.
    pub(crate) fn missing(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { kind: SettingsErrorKind::Missing, ..Self::without_value(setting, problem) }
    }

    /// There is no such setting. Its value may be a secret, so it is not shown.
    pub(crate) fn unknown(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { kind: SettingsErrorKind::Unknown, ..Self::without_value(setting, problem) }
    }

    /// Says which environment variable the setting was read from.
    pub(crate) fn in_variable(mut self, variable: &str) -> Self {
        self.problem = format!("{} ({variable} in the environment)", self.problem).into();
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
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

    /// Returns one error for each wrong setting: this one, if it is the only one.
    pub fn errors(&self) -> impl Iterator<Item = &SettingsError> {
        let only = self.several.is_empty().then_some(self);
        only.into_iter().chain(&self.several)
    }

    fn write_causes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
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

/// Collects the errors of checks, so that one start reports all wrong settings.
#[derive(Clone, Default)]
pub(crate) struct SettingsErrors(Vec<SettingsError>);

impl SettingsErrors {
    /// Keeps the error of a check. Returns its value, if it has one.
    pub(crate) fn check<T>(&mut self, checked: Result<T, SettingsError>) -> Option<T> {
        match checked {
            Ok(value) => return Some(value),
            Err(error) if error.several.is_empty() => self.0.push(error),
            Err(error) => self.0.extend(error.several),
        }
        None
    }

    pub(crate) fn add(&mut self, error: SettingsError) {
        self.check(Err::<(), _>(error));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether there is an error of that setting.
    pub(crate) fn has(&self, setting: &str) -> bool {
        self.0.iter().any(|error| error.setting == setting)
    }

    /// Adds the errors of other settings.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Returns one error for all that were kept.
    pub(crate) fn into_result(self) -> Result<(), SettingsError> {
        let Self(mut several) = self;
        match several.first() {
            None => Ok(()),
            Some(_) if several.len() == 1 => several.pop().map_or(Ok(()), Err),
            Some(SettingsError { kind, setting, value, problem, .. }) => {
                let (kind, setting, value, problem) = (*kind, setting.clone(), value.clone(), problem.clone());
                Err(SettingsError { kind, setting, value, problem, source: None, several: several.into() })
            }
        }
    }
}

/// Errors with the same text are equal.
impl PartialEq for SettingsErrors {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(ToString::to_string).eq(other.0.iter().map(ToString::to_string))
    }
}

impl Eq for SettingsErrors {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.several.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
            error.write_causes(f)?;
        }
        if !self.several.is_empty() {
            return Ok(());
        }
        match &*self.value {
            "" => write!(f, "setting {}: {}", self.setting, self.problem),
            value => write!(f, "setting {} is {value}: {}", self.setting, self.problem),
        }
    }
}

/// Shows the message and its causes, because a `main` that returns the error prints this.
impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingsError({self}")?;
        self.write_causes(f)?;
        f.write_str(")")
    }
}

/// Several errors have no source, because their lines have their causes.
impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
