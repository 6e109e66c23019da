//! The secret that names a Segment source.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// A write key. It cannot be displayed or serialized, and `Debug` does not show it.
///
/// ```
/// let key = tracklane::segment::WriteKey::from("secret");
/// assert_eq!(format!("{key:?}"), "WriteKey(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WriteKey(String);

impl WriteKey {
    pub(super) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// As a JSON string, for the body of a request.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// As HTTP Basic authentication: the key as user, no password
    /// ([Segment: HTTP API, authentication](https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#authentication)).
    pub(super) fn to_basic_auth(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("{}:", self.0)))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl<T: Into<String>> From<T> for WriteKey {
    fn from(key: T) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for WriteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteKey(…)")
    }
}
