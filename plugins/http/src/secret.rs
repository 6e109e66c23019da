//! A text that is never shown.

use std::fmt;

use serde::Deserialize;

/// A password, key or token. Neither `Debug` nor `Display` shows it, and it cannot be serialized.
///
/// ```
/// use tracklane_http::Secret;
///
/// let key = Secret::from("hunter2");
/// assert_eq!(format!("{key} {key:?}"), "… Secret(…)");
/// assert_eq!(key.expose(), "hunter2");
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct Secret(String);

impl Secret {
    /// The text itself, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns why it cannot be a key or token as vendors give them, if it cannot: most of them answer as if it were
    /// wrong.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
        if self.0.trim().is_empty() {
            return Some("is empty");
        }
        if self.0.trim().starts_with(is_quote) || self.0.trim().ends_with(is_quote) {
            return Some("has quotes around it: leave them out");
        }
        let broken = self.0.contains(|c: char| c.is_whitespace() || c.is_control());
        broken.then_some("has white space or control characters: copy it again, without the line's end")
    }

    /// Returns `text` with `…` in place of the secret. For text of others that an error shows.
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "…") }
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
