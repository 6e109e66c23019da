//! The fault matrix: tests cause every fault that `docs/FAULTS.md` lists.
//!
//! There is one module per family. Every test ends in the checks of [`crate::support`]. Faults that need a process of
//! their own are in `tests/process.rs`.

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
