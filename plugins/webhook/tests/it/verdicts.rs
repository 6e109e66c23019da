//! What an answer means.

use std::time::{Duration, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tracklane::plugin::Verdict;
use tracklane_webhook::verdict;

#[test]
fn every_status_has_the_verdict_of_the_table() {
    for status in 100..=999 {
        let of = |headers: &HeaderMap, are_final| {
            verdict(StatusCode::from_u16(status).unwrap(), headers, UNIX_EPOCH, are_final)
        };
        let expected = match status {
            200..=299 => Verdict::Delivered,
            410 => Verdict::Reject,
            413 => Verdict::Split,
            _ => Verdict::Retry,
        };
        assert_eq!(of(&HeaderMap::new(), false), expected, "{status}");
        let expected_if_final = match status {
            400 | 422 => Verdict::SplitIfProven,
            401 | 403 => Verdict::Unauthorized,
            408 | 429 => Verdict::Retry,
            413 => Verdict::Split,
            400..=499 => Verdict::Reject,
            _ => expected,
        };
        assert_eq!(of(&HeaderMap::new(), true), expected_if_final, "{status}, 4xx final");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let pauses = matches!(status, 429 | 502 | 503 | 504);
        let pause = Verdict::Pause(Duration::from_secs(7));
        assert_eq!(of(&headers, false) == pause, pauses, "{status} with Retry-After");
        assert_eq!(of(&headers, true) == pause, pauses, "{status} with Retry-After, 4xx final");
    }
}
