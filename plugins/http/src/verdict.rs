//! The verdict on a status, unless a vendor decides otherwise.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};
use tracklane::plugin::Verdict;

use crate::retry_after;

/// The verdict on a response: a pure function, so that the table is the whole of it.
///
/// | status | verdict |
/// |---|---|
/// | 2xx | delivered |
/// | 429, 503 with `Retry-After` | the destination pauses for that long (1 to 300 s) |
/// | 408, 429, 5xx | retried |
/// | 413 | split, down to the single event |
/// | 400, 422 | split if an earlier batch was taken, else refused; a vendor's partial failures are to be read first |
/// | 401, 403 | the credentials are refused |
/// | any other 4xx (404, 410, …), 1xx and 3xx | refused; a redirect is never followed |
#[must_use]
pub fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Delivered,
        429 | 503 => retry_after(headers, now).map_or(Verdict::Retry, Verdict::Pause),
        408 | 500..=599 => Verdict::Retry,
        413 => Verdict::Split,
        400 | 422 => Verdict::SplitIfProven,
        401 | 403 => Verdict::Unauthorized,
        _ => Verdict::Reject,
    }
}
