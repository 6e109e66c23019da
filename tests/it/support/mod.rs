//! Shared parts of the tests: clients with a local server, and the checks that must hold after every fault.
//!
//! Every wait here has a bound. A [`Trial`] ends in [`Trial::survives`]. It sends another event after the fault and
//! then checks that the counts balance, that only sent events arrived, with the same payloads, ids and order, and that
//! no secret and no body appeared anywhere.

mod carrier;
mod client;
mod detour;
mod example;
mod logs;
mod trial;

pub(crate) use carrier::{Carrier, driven};
pub(crate) use client::{Arrived, Log, api, client, quick_retries, recorder, segment, track, with_failures};
pub(crate) use detour::{Detour, Wire};
pub(crate) use example::example;
pub(crate) use trial::{Ended, Trial, assert_balanced, shows_a_secret};

use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The write key of every trial. Nobody may ever see it but the server.
pub(crate) const SECRET: &str = "canary-5f2c9a71";
/// Part of every event's properties. No log, error, signal or `Debug` may show it.
pub(crate) const BODY: &str = "body-e04d1b93";

/// Waits until `condition` holds, at most [`SOON`].
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < give_up, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
