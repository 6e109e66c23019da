//! Errors of settings, and the checks of those that every vendor has.

use std::time::Duration;

/// The error of a setting. It names the setting and says what to write instead, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("setting {setting}: {problem}")]
#[non_exhaustive]
pub struct SettingError {
    /// The name of the setting.
    pub setting: &'static str,
    /// The problem, and what to write instead.
    pub problem: String,
    /// The cause.
    pub source: Option<tracklane::BoxError>,
}

impl SettingError {
    /// An error of the setting called `setting`. `problem` must hold no secret.
    pub fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into(), source: None }
    }

    /// Adds the cause, which must hold no secret either.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<tracklane::BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Checks the name of a destination.
///
/// # Errors
///
/// Returns an error of the setting `name` if it is empty.
pub fn check_name(name: &str) -> Result<(), SettingError> {
    if name.trim().is_empty() { Err(SettingError::new("name", "is empty")) } else { Ok(()) }
}

/// Checks how long a request may take.
///
/// # Errors
///
/// Returns an error of the setting `timeout` if it is zero.
pub fn check_timeout(timeout: Duration) -> Result<(), SettingError> {
    if timeout.is_zero() {
        return Err(SettingError::new("timeout", "is zero: no answer would come in time"));
    }
    Ok(())
}
