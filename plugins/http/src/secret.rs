//! A text that is never shown.

use std::fmt;

use serde::Deserialize;

/// From this length on, in bytes, a secret is hidden inside of longer words as well.
const LONG: usize = 8;

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
    ///
    /// A secret of less than 8 bytes is hidden only where it stands by itself, because it is in many words: not where
    /// letters, digits, `_` or `$` go on before or behind it. So of such a secret is shown what the text has joined to
    /// others. Of any secret is shown what the text has in another form: in other letters, as base64, as `%20` or `\n`,
    /// or only a part of it. A word that is the same as the secret by accident is hidden.
    ///
    /// ```
    /// use tracklane_http::Secret;
    ///
    /// assert_eq!(Secret::from("tok").hide_in("the $token tok"), "the $token …");
    /// ```
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        let secret = self.expose();
        if secret.is_empty() {
            return text.to_owned();
        }
        let mut hidden = String::with_capacity(text.len());
        // Up to here text is copied, and from there it is searched.
        let (mut copied, mut from) = (0, 0);
        while let Some(found) = text.get(from..).and_then(|rest| rest.find(secret)) {
            let (start, end) = (from + found, from + found + secret.len());
            let (before, behind) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
            if secret.len() < LONG && (goes_on(before, secret) || goes_on(secret, behind)) {
                // Another place may begin in this one.
                from = start + secret.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            hidden.push_str(text.get(copied..start).unwrap_or_default());
            hidden.push('…');
            (copied, from) = (end, end);
        }
        hidden.push_str(text.get(copied..).unwrap_or_default());
        hidden
    }
}

/// Returns whether a word at the end of one text goes on in the other.
fn goes_on(text: &str, other: &str) -> bool {
    let is_in_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    text.ends_with(is_in_word) && other.starts_with(is_in_word)
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
