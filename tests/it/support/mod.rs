//! What every fault test shares: a client against a local server, and the oracles that hold whatever the fault.
//!
//! A [`Trial`] ends in [`Trial::survives`], which sends a fresh event after the fault and then checks that the books
//! balance, that nothing arrived which was not sent, that payloads, ids and order are what they were, and that no
//! secret and no body came to light anywhere.

mod detour;
mod logs;
mod trial;

pub(crate) use detour::{Detour, Wire};
pub(crate) use trial::{Ended, Trial, assert_balanced, shows_a_secret};

use std::time::{Duration, Instant};

use tracklane::plugin::RetryPolicy;

/// A bound for what should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The write key of every trial. Nobody may ever see it but the server.
pub(crate) const SECRET: &str = "canary-5f2c9a71";
/// Part of every event's properties. No log, error, signal or `Debug` may show it.
pub(crate) const BODY: &str = "body-e04d1b93";

/// Retries that come within milliseconds, and as many as it takes.
pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy::new().max_retries(10_000).backoff(Duration::from_millis(1), Duration::from_millis(4))
}

/// Waits until `condition` holds, looking again and again.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < give_up, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
