//! The fault matrix: every fault that `docs/FAULTS.md` lists, made to happen.
//!
//! One module per family. Every test ends in the oracles of [`crate::support`]; faults that need a process of their
//! own are in `tests/process.rs`.

mod blocked;
#[cfg(target_os = "linux")]
mod certificates;
mod clock;
mod credentials;
mod destination;
mod driven;
mod drops;
mod http;
mod input;
mod lifecycle;
mod observers;
mod overload;
mod plugin;
mod proxies;
mod table;
