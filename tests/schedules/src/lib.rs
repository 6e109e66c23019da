//! Compiles the files of tracklane that synchronise by atomics with the primitives of loom. Loom runs a test once for
//! every order of steps that threads and memory allow, and finds a lost wake-up as a deadlock.
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

/// The part of `src/supervise/` that the files use.
mod supervise {
    pub(crate) use crate::panic::catch;
}

#[cfg(test)]
mod closes;
#[cfg(test)]
mod tests;
