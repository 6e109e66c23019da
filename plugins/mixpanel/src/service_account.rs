//! A service account, which authenticates in place of the token.

use serde::Deserialize;
use tracklane_http::{Secret, SettingError};

/// A service account of Mixpanel, and the project that it sends to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its user name.
    pub username: Secret,
    /// Its secret.
    pub secret: Secret,
    /// The number of the project.
    pub project_id: u64,
}

impl ServiceAccount {
    /// The account with that name and secret, for the project with that number.
    pub fn new(username: impl Into<Secret>, secret: impl Into<Secret>, project_id: u64) -> Self {
        Self { username: username.into(), secret: secret.into(), project_id }
    }

    pub(crate) fn check(&self) -> Result<(), SettingError> {
        let problem = self.username.problem().or(self.secret.problem());
        problem.map_or(Ok(()), |problem| {
            Err(SettingError::new("service_account", format!("has a user name or secret that {problem}")))
        })
    }
}
