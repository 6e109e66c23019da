//! The verdict on an answer of PostHog.

use std::time::SystemTime;

use http::StatusCode;
use tracklane::plugin::Verdict;
use tracklane_http::Received;

/// The verdict: a pure function, so that the table is the whole of it.
///
/// | answer | verdict |
/// |---|---|
/// | 400 that says that the body is too large | split |
/// | 400 | split, as [`Verdict::SplitIfProven`] says: one bad event fails the whole request |
/// | 401, 403 | the project key is refused |
/// | 413 | split |
/// | 429, 503 with `Retry-After` | a pause |
/// | 408, 429, 5xx | retried |
/// | 2xx | delivered; what PostHog drops beyond its quota it does not say |
pub(crate) fn verdict(received: &Received, now: SystemTime) -> Verdict {
    if received.status == StatusCode::BAD_REQUEST && says_too_large(received) {
        return Verdict::Split;
    }
    received.verdict(now)
}

fn says_too_large(received: &Received) -> bool {
    let words = received.words([]).to_ascii_lowercase();
    words.contains("too big") || words.contains("too large")
}
