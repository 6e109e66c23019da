//! The header `Authorization`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::{Secret, SettingError};

/// The credentials of the sender: the header `Authorization` (RFC 7617, RFC 6750).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// A user name and a password; vendors often take a key for the one and nothing for the other.
    Basic {
        /// The user name, which may be a key.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

impl Auth {
    /// Basic authentication.
    pub fn basic(user: impl Into<Secret>, password: impl Into<Secret>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// A bearer token.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::Bearer(token.into())
    }

    /// The value of the header, marked as sensitive.
    ///
    /// # Errors
    ///
    /// Returns an error if the user name has a colon, or the token is not valid in a header. The error does not show
    /// them.
    pub fn header(&self) -> Result<HeaderValue, SettingError> {
        let text = match self {
            Self::Basic { user, .. } if user.expose().contains(':') => {
                return Err(SettingError::new("user", "has a colon, which Basic authentication cannot send"));
            }
            Self::Basic { user, password } => {
                format!("Basic {}", STANDARD.encode(format!("{}:{}", user.expose(), password.expose())))
            }
            Self::Bearer(token) => {
                if let Some(problem) = token.problem() {
                    return Err(SettingError::new("token", problem));
                }
                format!("Bearer {}", token.expose())
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| SettingError::new("token", "has characters that are not valid in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Returns the credentials as the header has them behind its first word, because a server may repeat it. `None` if
    /// there is no such header.
    #[must_use]
    pub fn sent(&self) -> Option<Secret> {
        let header = self.header().ok()?;
        header.to_str().ok()?.split_once(' ').map(|(_, sent)| sent.into())
    }

    /// Returns the secrets in it, so that an answer of the server can be shown without them.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::Basic { user, password } => (user, Some(password)),
            Self::Bearer(token) => (token, None),
        };
        std::iter::once(first).chain(second)
    }
}
