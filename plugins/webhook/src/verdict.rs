//! The verdict on an answer.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};
use tracklane::plugin::Verdict;
use tracklane_http::retry_after;

/// The verdict on a response, as Standard Webhooks has it: a pure function, so that the table is the whole of it.
///
/// | status | verdict |
/// |---|---|
/// | 2xx | delivered |
/// | 410 | refused, and the endpoint gets nothing more |
/// | 413 | split, down to the single event |
/// | 429, 502, 503, 504 with `Retry-After` | the destination pauses for that long (1 to 300 s) |
/// | other 4xx, if they are final | as [`tracklane_http::verdict`](tracklane_http::verdict()) |
/// | any other, 3xx among them, since no redirect is followed | retried |
#[must_use]
pub fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime, client_errors_are_final: bool) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Delivered,
        410 => Verdict::Reject,
        413 => Verdict::Split,
        429 | 502..=504 => retry_after(headers, now).map_or(Verdict::Retry, Verdict::Pause),
        400..=499 if client_errors_are_final => tracklane_http::verdict(status, headers, now),
        _ => Verdict::Retry,
    }
}
