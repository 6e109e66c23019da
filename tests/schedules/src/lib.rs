//! The very files of tracklane that synchronise without more than a lock, built over the primitives of loom, which
//! runs a test once for every order of steps that threads and memory allow. A wake-up that can be lost is a deadlock
//! here, and found.
//!
//! The files name their primitives by `crate::sync`: in tracklane those of `std` and `tokio`, here those of [`sync`].

#![allow(dead_code, unreachable_pub, reason = "files of another crate, of which some parts are tested")]

pub mod sync;

#[path = "../../../src/pipeline/intake/handover.rs"]
mod handover;
#[path = "../../../src/supervise/panic.rs"]
mod panic;
#[path = "../../../src/pipeline/client/shutdown.rs"]
mod shutdown;
#[path = "../../../src/pipeline/intake/worker_state.rs"]
mod worker_state;
#[path = "../../../src/ledger/capacity.rs"]
mod capacity;
#[path = "../../../src/wait_group.rs"]
mod wait_group;
#[path = "../../../src/ledger/pending.rs"]
mod pending;

/// What the files name of `src/supervise/`.
mod supervise {
    pub(crate) use crate::panic::catch;
}

#[cfg(test)]
mod closes;
#[cfg(test)]
mod tests;
