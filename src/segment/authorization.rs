//! What a request shows to be let in: the write key as Basic authentication, or a token.

#[cfg(feature = "oauth")]
use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::WriteKey;
#[cfg(feature = "oauth")]
use super::oauth::Tokens;
use crate::error::SettingsError;
use crate::plugin::{Answer, Batch};

/// Where the `Authorization` header comes from. The write key is in the body in either case.
pub(super) enum Authorization {
    Basic(HeaderValue),
    #[cfg(feature = "oauth")]
    Bearer(Arc<Tokens>),
}

impl Authorization {
    pub(super) fn basic(write_key: &WriteKey) -> Result<Self, SettingsError> {
        let problem = "has characters that HTTP forbids";
        let header = write_key.to_basic_auth();
        header.map(Self::Basic).ok_or_else(|| SettingsError::without_value("write_key", problem))
    }

    #[cfg(feature = "oauth")]
    pub(super) fn bearer(tokens: Tokens) -> Self {
        Self::Bearer(Arc::new(tokens))
    }

    /// The header for the next request; what becomes of the batch, if there is none to be had.
    #[cfg_attr(not(feature = "oauth"), expect(unused_variables, reason = "Basic authentication never changes"))]
    pub(super) async fn header(&self, batch: &Batch) -> Result<HeaderValue, Answer> {
        match self {
            Self::Basic(header) => Ok(header.clone()),
            #[cfg(feature = "oauth")]
            Self::Bearer(tokens) => tokens.bearer(batch.timer(), batch.emitter()).await.map_err(Answer::from),
        }
    }

    /// Takes note of how a request with `header` was answered. Whether another header could make the difference.
    #[cfg_attr(not(feature = "oauth"), expect(unused_variables, reason = "Basic authentication never changes"))]
    pub(super) fn answered(&self, header: &HeaderValue, status: StatusCode) -> bool {
        match self {
            Self::Basic(_) => false,
            #[cfg(feature = "oauth")]
            Self::Bearer(tokens) => {
                if matches!(status.as_u16(), 400 | 401 | 403 | 511) {
                    tokens.discard(header);
                }
                matches!(status.as_u16(), 401 | 403)
            }
        }
    }
}
