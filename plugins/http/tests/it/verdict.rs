//! What a status means.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tracklane::plugin::Verdict;
use tracklane_http::{retry_after, verdict};

/// Sun, 06 Nov 1994 08:49:37 GMT.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn of(status: u16, wait: Option<&str>) -> Verdict {
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert(RETRY_AFTER, wait.parse().unwrap());
    }
    verdict(StatusCode::from_u16(status).unwrap(), &headers, now())
}

#[test]
fn every_status_has_the_verdict_of_the_table() {
    for status in 100..=999 {
        let expected = match status {
            200..=299 => Verdict::Delivered,
            400 | 422 => Verdict::SplitIfProven,
            401 | 403 => Verdict::Unauthorized,
            404 | 410 => Verdict::Reject,
            408 | 429 => Verdict::Retry,
            413 => Verdict::Split,
            500..=599 => Verdict::Retry,
            _ => Verdict::Reject,
        };
        assert_eq!(of(status, None), expected, "{status}");
        let with_wait = if matches!(status, 429 | 503) { Verdict::Pause(Duration::from_secs(7)) } else { expected };
        assert_eq!(of(status, Some("7")), with_wait, "{status} with Retry-After");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let table = [
        ("0", Some(1)),
        ("17", Some(17)),
        ("99999999999999999999999999", Some(300)),
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
        ("Sun Nov  6 08:50:07 1994", Some(30)),
        ("Sat, 06 Nov 1993 08:49:37 GMT", Some(1)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
    ];
    for (value, expected) in table {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        assert_eq!(retry_after(&headers, now()), expected.map(Duration::from_secs), "Retry-After: {value}");
        let expected = expected.map_or(Verdict::Retry, |wait| Verdict::Pause(Duration::from_secs(wait)));
        assert_eq!(of(429, Some(value)), expected, "429 with Retry-After: {value}");
    }
}
