//! The error of a token request, and the verdict on the batch that needs the token.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::error::BoxError;
use crate::plugin::{Answer, Verdict};
use crate::segment::retry_after;

/// The pause if the server asks for one and does not say how long.
const UNSTATED_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: u64 = 300;

/// The error of a token request. It is the [source](std::error::Error::source) of the
/// [`DeliveryError`](crate::DeliveryError) of the events that needed it. A clone is the same error.
#[derive(Clone, Debug)]
pub struct TokenError(Arc<Reason>);

#[derive(Debug)]
struct Reason {
    what: String,
    status: Option<StatusCode>,
    verdict: Verdict,
    source: Option<BoxError>,
}

/// The body of a refusal (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl TokenError {
    fn new(what: impl Into<String>, verdict: Verdict) -> Self {
        Self(Arc::new(Reason { what: what.into(), status: None, verdict, source: None }))
    }

    /// No answer came, or only a part of it.
    pub(super) fn unanswered(source: BoxError) -> Self {
        let what = "the token server did not answer".to_owned();
        Self(Arc::new(Reason { what, status: None, verdict: Verdict::Retry, source: Some(source) }))
    }

    pub(super) fn overdue(limit: Duration) -> Self {
        Self::new(format!("the token server did not answer within {limit:?}"), Verdict::Retry)
    }

    /// The request could not be made.
    pub(super) fn unsendable(what: &str) -> Self {
        Self::new(format!("no token can be asked for: {what}"), Verdict::Unauthorized)
    }

    /// The server answered with success, but not with a token.
    pub(super) fn unreadable(status: StatusCode) -> Self {
        let what = format!("the token server answered {status} without a token that can be used");
        Self(Arc::new(Reason { what, status: Some(status), verdict: Verdict::Retry, source: None }))
    }

    /// The server refused. `misdated`: the assertion was not valid by the server's clock, which is known now.
    pub(super) fn refused(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
        misdated: bool,
    ) -> Self {
        let verdict = verdict(status, headers, now, misdated);
        let code = serde_json::from_slice(body).ok().and_then(|refused: Refused| readable(refused.error));
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        let advice = match verdict {
            Verdict::Unauthorized => ": check the client id, the key id, the private key, the scope and the region",
            _ => "",
        };
        let what = format!("the token server answered {status}{code}{advice}");
        Self(Arc::new(Reason { what, status: Some(status), verdict, source: None }))
    }

    /// Returns the verdict on a batch that needs the token.
    pub(super) fn verdict(&self) -> Verdict {
        self.0.verdict
    }

    /// Returns the HTTP status of the token server, if it answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns whether asking again could help. If not, the settings here or in Segment's dashboard are wrong.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.verdict != Verdict::Unauthorized
    }
}

/// The table of `docs/OAUTH.md`.
fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime, misdated: bool) -> Verdict {
    match status.as_u16() {
        429 => Verdict::Pause(pause(headers, now).unwrap_or(UNSTATED_PAUSE)),
        503 => retry_after(headers, now).map_or(Verdict::Retry, Verdict::Pause),
        408 | 500..=599 => Verdict::Retry,
        400 | 401 if misdated => Verdict::Retry,
        _ => Verdict::Unauthorized,
    }
}

/// Reads `Retry-After`, or Segment's `X-RateLimit-Reset`, which is in seconds.
fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry_after(headers, now).or_else(|| {
        let seconds: u64 = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.clamp(1, LONGEST_PAUSE)))
    })
}

/// Returns the text if it is an error code of RFC 6749. Then it does not repeat what was sent.
fn readable(code: String) -> Option<String> {
    let harmless = code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (harmless && !code.is_empty()).then_some(code)
}

impl From<TokenError> for Answer {
    fn from(error: TokenError) -> Self {
        Answer::new(error.verdict()).with_error(error)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuth: {}", self.0.what)
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        for code in (100..=999).filter(|code| !(200..=299).contains(code)) {
            let expected = match code {
                429 => Verdict::Pause(UNSTATED_PAUSE),
                408 | 500..=599 => Verdict::Retry,
                _ => Verdict::Unauthorized,
            };
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(verdict(status, &HeaderMap::new(), UNIX_EPOCH, false), expected, "{code}");
            let misdated = if matches!(code, 400 | 401) { Verdict::Retry } else { expected };
            assert_eq!(verdict(status, &HeaderMap::new(), UNIX_EPOCH, true), misdated, "{code}");
        }
    }

    #[test]
    fn a_pause_is_as_long_as_the_server_says_within_bounds() {
        let table: [(&[(&'static str, &str)], u64); 8] = [
            (&[("retry-after", "7")], 7),
            (&[("x-ratelimit-reset", "8")], 8),
            (&[("x-ratelimit-reset", "8"), ("retry-after", "7")], 7),
            (&[("x-ratelimit-reset", "8"), ("retry-after", "soon")], 8),
            (&[("x-ratelimit-reset", "0")], 1),
            (&[("x-ratelimit-reset", "1767225600")], 300),
            (&[("x-ratelimit-reset", "soon")], 5),
            (&[], 5),
        ];
        for (headers, expected) in table {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            let verdict = verdict(StatusCode::TOO_MANY_REQUESTS, &headers, UNIX_EPOCH, false);
            assert_eq!(verdict, Verdict::Pause(Duration::from_secs(expected)), "{headers:?}");
        }
    }

    #[test]
    fn an_error_names_the_code_but_never_an_echo() {
        let refused = |body: &str| {
            let status = StatusCode::UNAUTHORIZED;
            TokenError::refused(status, &HeaderMap::new(), body.as_bytes(), UNIX_EPOCH, false).to_string()
        };
        assert!(refused(r#"{"error":"invalid_client"}"#).contains("401 Unauthorized (invalid_client): check"));
        for echo in [r#"{"error":"eyJhbGciOiJSUzI1NiJ9"}"#, r#"{"error":5}"#, r#"{"error":""}"#, "eyJhbGci"] {
            assert!(refused(echo).contains("401 Unauthorized: check"), "{echo}");
        }
    }
}
