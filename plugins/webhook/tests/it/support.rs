//! What several tests need.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracklane::plugin::{Destination, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, Track};
use tracklane_http::testing::{Request, Server};
use tracklane_webhook::{SigningSecret, Verified, VerifyError, Webhook, verify_at};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// 64 bytes.
pub(crate) const OTHER: &str =
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn secret(text: &str) -> SigningSecret {
    SigningSecret::new(text).unwrap()
}

pub(crate) fn webhook(server: &Server) -> Webhook {
    Webhook::new(server.url("/hook")).secret(SECRET)
}

/// A client with three attempts and no wait between them.
pub(crate) fn client(destination: Destination) -> Analytics {
    tracklane_http::testing::client(destination).unwrap()
}

/// A client with a clock of its own and a wait of one second before each retry.
pub(crate) fn client_with(destination: Destination, clock: &ManualClock) -> Analytics {
    let retry = RetryPolicy::new().max_retries(5).schedule(|_| Duration::from_secs(1));
    Analytics::builder().clock(clock.clone()).plugin(destination.retry(retry)).build().unwrap()
}

pub(crate) fn ping() -> Track {
    Track::new("Ping").user_id("u1").property("revenue", 39.95)
}

/// When a request says that it was sent.
pub(crate) fn sent_at(request: &Request) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(request.header("webhook-timestamp").parse().unwrap())
}

/// Verifies a request at the time that it says, with no tolerance.
pub(crate) fn verified(request: &Request, secrets: &[&str]) -> Result<Verified, VerifyError> {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    verify_at(&request.headers, &request.body, &secrets, Duration::ZERO, sent_at(request))
}
