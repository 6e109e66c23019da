//! The secret that identifies a Segment source.

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
    /// Returns why it cannot be a write key. Segment would not report it, because it answers 200 to any key.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let Self(key) = self;
        if key.trim().is_empty() {
            return Some("is empty: copy it from the settings of your source");
        }
        if in_quotes(key) {
            return Some("has quotes around it: leave them out");
        }
        if key.len() > 1024 {
            return Some("is longer than any write key");
        }
        let broken = key.contains(|c: char| c.is_whitespace() || c.is_control());
        broken.then_some("has white space or control characters: copy it again, without the line's end")
    }

    /// Writes the key as a JSON string, for the body of a request.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// Writes the key as HTTP Basic authentication: the key as user, no password
    /// ([Segment: HTTP API, authentication](https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#authentication)).
    pub(super) fn to_basic_auth(&self) -> HeaderValue {
        let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("{}:", self.0))));
        // Base64 is always a header value.
        let mut value = value.unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

/// Returns whether a text begins or ends with a quote. That happens when a file with quotes is read without removing
/// them.
pub(super) fn in_quotes(text: &str) -> bool {
    let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
    text.trim().starts_with(is_quote) || text.trim().ends_with(is_quote)
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
