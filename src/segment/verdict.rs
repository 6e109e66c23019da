//! The verdict on a response of Segment's tracking API.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};

use super::retry_after;
use crate::plugin::Verdict;

/// Returns the verdict on a response. A pure function, by this table:
///
/// | status | verdict |
/// |---|---|
/// | 2xx | delivered |
/// | 429, 503 with `Retry-After` | the destination pauses for that long |
/// | 408, 410, 429, 460, 5xx but those below | retried |
/// | 413 | split, down to the single event |
/// | 400 | split if an earlier batch was taken, else refused |
/// | 401, 403 | the credentials are refused |
/// | 501, 505, 511, any other 4xx, 1xx and 3xx | refused; a redirect is never followed |
#[must_use]
pub fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    let pause = || retry_after(headers, now).map(Verdict::Pause);
    match status.as_u16() {
        200..=299 => Verdict::Delivered,
        429 | 503 => pause().unwrap_or(Verdict::Retry),
        408 | 410 | 460 => Verdict::Retry,
        413 => Verdict::Split,
        400 => Verdict::SplitIfProven,
        401 | 403 => Verdict::Unauthorized,
        501 | 505 | 511 => Verdict::Reject,
        500..=599 => Verdict::Retry,
        _ => Verdict::Reject,
    }
}

/// Like [`verdict`], for a destination with OAuth. 511 (network authentication required) is retried, because the
/// refused token has been discarded by then.
#[cfg(feature = "oauth")]
#[must_use]
pub fn verdict_with_oauth(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    match status {
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => Verdict::Retry,
        _ => verdict(status, headers, now),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn every_status_has_the_verdict_of_the_table() {
        for code in 100..=999 {
            let expected = match code {
                200..=299 => Verdict::Delivered,
                413 => Verdict::Split,
                400 => Verdict::SplitIfProven,
                401 | 403 => Verdict::Unauthorized,
                408 | 410 | 429 | 460 => Verdict::Retry,
                501 | 505 | 511 => Verdict::Reject,
                500..=599 => Verdict::Retry,
                _ => Verdict::Reject,
            };
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(verdict(status, &HeaderMap::new(), UNIX_EPOCH), expected, "{code}");
        }
    }

    #[cfg(feature = "oauth")]
    #[test]
    fn oauth_changes_the_verdict_on_511_only() {
        for code in (100..=999).filter(|code| *code != 511) {
            let status = StatusCode::from_u16(code).unwrap();
            let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
            assert_eq!(
                verdict_with_oauth(status, &headers, UNIX_EPOCH),
                verdict(status, &headers, UNIX_EPOCH),
                "{code}"
            );
        }
        let status = StatusCode::from_u16(511).unwrap();
        assert_eq!(verdict_with_oauth(status, &HeaderMap::new(), UNIX_EPOCH), Verdict::Retry);
    }

    #[test]
    fn retry_after_counts_on_429_and_503_only() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        for code in 100..=999 {
            let status = StatusCode::from_u16(code).unwrap();
            let pauses = verdict(status, &headers, UNIX_EPOCH) == Verdict::Pause(Duration::from_secs(7));
            assert_eq!(pauses, code == 429 || code == 503, "{code}");
        }
    }
}
