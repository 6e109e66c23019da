//! A token, and its lifetime.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The lifetime of a token that states none.
const UNSTATED: Duration = Duration::from_secs(120);
/// The longest lifetime that is believed. Segment's tokens last 30 days at most.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A token. It cannot be displayed, not even by `Debug`.
#[derive(Clone)]
pub(super) struct Token {
    bearer: HeaderValue,
    refresh_at: SystemTime,
    expires_at: SystemTime,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<f64>,
}

/// Reads a number, or the text of one, which some servers write.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let invalid = || D::Error::custom("expires_in is no number");
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Number(number) => number.as_f64().map(Some).ok_or_else(invalid),
        Value::String(text) => {
            text.trim().parse().ok().filter(|life: &f64| life.is_finite()).map(Some).ok_or_else(invalid)
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(invalid()),
    }
}

impl Token {
    /// Reads the server's answer to a request that was sent at `asked_at` (RFC 6749, section 5.1).
    pub(super) fn parse(body: &[u8], asked_at: SystemTime) -> Option<Self> {
        let granted: Granted = serde_json::from_slice(body).ok()?;
        if granted.access_token.is_empty() {
            return None;
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", granted.access_token)).ok()?;
        bearer.set_sensitive(true);
        let life = match granted.expires_in {
            Some(seconds) => Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST),
            None => UNSTATED,
        };
        Some(Self { bearer, refresh_at: asked_at + life / 2, expires_at: asked_at + life })
    }

    /// Returns the value of the `Authorization` header.
    pub(super) fn bearer(&self) -> &HeaderValue {
        &self.bearer
    }

    /// Returns whether more than half of its life is over.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        now >= self.refresh_at
    }

    pub(super) fn has_expired(&self, now: SystemTime) -> bool {
        now >= self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    fn life(body: &str) -> Option<u64> {
        let token = Token::parse(body.as_bytes(), UNIX_EPOCH)?;
        let life = token.expires_at.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(token.refresh_at, UNIX_EPOCH + life / 2, "{body}");
        Some(life.as_secs())
    }

    #[test]
    fn tokens_are_due_at_half_their_life_and_expire_at_its_end() {
        let token = Token::parse(br#"{"access_token":"t","expires_in":100}"#, UNIX_EPOCH).unwrap();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(token.bearer(), "Bearer t");
        assert!(!token.is_due(at(49)) && token.is_due(at(50)));
        assert!(!token.has_expired(at(99)) && token.has_expired(at(100)));
    }

    #[test]
    fn answers_of_every_kind_are_read_or_refused() {
        let year = LONGEST.as_secs();
        let table = [
            (
                r#"{"access_token":"t","expires_in":86400,"token_type":"Bearer","scope":"tracking_api:write"}"#,
                Some(86_400),
            ),
            (r#"{"access_token":"t","expires_in":59.9}"#, Some(59)),
            (r#"{"access_token":"t"}"#, Some(120)),
            (r#"{"access_token":"t","expires_in":null}"#, Some(120)),
            (r#"{"access_token":"t","expires_in":-1}"#, Some(0)),
            (r#"{"access_token":"t","expires_in":1e300}"#, Some(year)),
            (r#"{"access_token":"t","expires_in":"86400"}"#, Some(86_400)),
            (r#"{"access_token":"t","expires_in":" 59.9 "}"#, Some(59)),
            (r#"{"access_token":"t","expires_in":"1e300"}"#, Some(year)),
            (r#"{"access_token":"t","expires_in":"soon"}"#, None),
            (r#"{"access_token":"t","expires_in":"NaN"}"#, None),
            (r#"{"access_token":"t","expires_in":""}"#, None),
            (r#"{"access_token":"t","expires_in":true}"#, None),
            (r#"{"access_token":"","expires_in":1}"#, None),
            (r#"{"access_token":"a\nb","expires_in":1}"#, None),
            (r#"{"access_token":1,"expires_in":1}"#, None),
            (r#"{"expires_in":1}"#, None),
            ("<html>", None),
            ("", None),
        ];
        for (body, expected) in table {
            assert_eq!(life(body), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..64), life in any::<f64>()) {
            drop(Token::parse(&body, UNIX_EPOCH));
            drop(Token::parse(format!(r#"{{"access_token":"t","expires_in":{life}}}"#).as_bytes(), SystemTime::now()));
        }
    }
}
