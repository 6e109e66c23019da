//! The `Authorization` header: the write key as Basic authentication, or a token.

#[cfg(feature = "oauth")]
use std::sync::Arc;

use http::{HeaderValue, StatusCode};

#[cfg(feature = "oauth")]
use super::oauth::Tokens;
use crate::plugin::{Answer, Batch};

/// The source of the `Authorization` header. The body has the write key in either case.
pub(super) enum Authorization {
    Basic,
    #[cfg(feature = "oauth")]
    Bearer(Arc<Tokens>),
}

impl Authorization {
    #[cfg(feature = "oauth")]
    pub(super) fn bearer(tokens: Tokens) -> Self {
        Self::Bearer(Arc::new(tokens))
    }

    /// Returns the token for the next request, or `None` if the write key authorizes it.
    ///
    /// # Errors
    ///
    /// Returns the answer to the batch if there is no token.
    #[cfg_attr(not(feature = "oauth"), expect(unused_variables, reason = "Basic authentication asks nobody"))]
    pub(super) async fn token(&self, batch: &Batch) -> Result<Option<HeaderValue>, Answer> {
        match self {
            Self::Basic => Ok(None),
            #[cfg(feature = "oauth")]
            Self::Bearer(tokens) => {
                let token = tokens.bearer(batch.timer(), batch.emitter()).await;
                token.map(Some).map_err(Answer::from)
            }
        }
    }

    /// Notes the answer to a request with `header`. Returns whether the request should be repeated with another token.
    #[cfg_attr(not(feature = "oauth"), expect(unused_variables, reason = "Basic authentication has no tokens"))]
    pub(super) fn answered(&self, header: &HeaderValue, status: StatusCode) -> bool {
        match self {
            Self::Basic => false,
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
