//! OAuth 2.0 as it is written in a file or in the environment.

use crate::builder::Builder;
use crate::error::SettingsError;

/// The settings whose names begin with `oauth_`.
#[derive(Clone, Default, PartialEq)]
pub(super) struct OAuthSettings {
    pub(super) client_id: Option<String>,
    pub(super) private_key: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) auth_server: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) max_retries: Option<u32>,
}

impl OAuthSettings {
    pub(super) fn or(self, fallback: Self) -> Self {
        Self {
            client_id: self.client_id.or(fallback.client_id),
            private_key: self.private_key.or(fallback.private_key),
            key_id: self.key_id.or(fallback.key_id),
            auth_server: self.auth_server.or(fallback.auth_server),
            scope: self.scope.or(fallback.scope),
            max_retries: self.max_retries.or(fallback.max_retries),
        }
    }

    /// The builder with OAuth, if anything of it is set.
    pub(super) fn apply(self, builder: Builder) -> Result<Builder, SettingsError> {
        if self == Self::default() {
            return Ok(builder);
        }
        self.add_to(builder)
    }

    #[cfg(feature = "oauth")]
    fn add_to(self, builder: Builder) -> Result<Builder, SettingsError> {
        use super::set;
        use crate::segment::OAuth;

        let needed = |setting: &'static str, value: Option<String>| {
            value.ok_or_else(|| SettingsError::without_value(setting, "is missing, and OAuth needs it"))
        };
        let client_id = needed("oauth_client_id", self.client_id)?;
        // A line break can hardly be written in a file of variables, and PEM has no backslashes.
        let private_key = needed("oauth_private_key", self.private_key)?.replace("\\n", "\n");
        let mut oauth = OAuth::new(client_id, private_key, needed("oauth_key_id", self.key_id)?);
        oauth = set(oauth, self.auth_server, OAuth::auth_server);
        oauth = set(oauth, self.scope, OAuth::scope);
        Ok(builder.oauth(set(oauth, self.max_retries, OAuth::max_retries)))
    }

    #[cfg(not(feature = "oauth"))]
    fn add_to(self, _: Builder) -> Result<Builder, SettingsError> {
        Err(SettingsError::without_value("oauth_client_id", "and its siblings need the feature `oauth`"))
    }
}
