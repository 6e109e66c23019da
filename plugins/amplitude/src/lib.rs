//! Sends events to Amplitude's batch endpoint.
//!
//! Invariants: an event has the same `insert_id` in every attempt. Nothing is invented (no device id, no time, no
//! sender's address). Nothing in an event's properties overwrites its identity. The API key is in no `Debug` and no
//! error.
//!
//! In the order of the files: [`Amplitude`] holds the settings and makes the destination. [`AmplitudeSettings`] are the
//! same as data. `mapping` makes an event into Amplitude's items, without I/O. The `service` sends them, and `answer`
//! reads Amplitude's answer to each.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

// The settings, and the destination that they make.
mod amplitude;
mod settings;

// From an event to Amplitude's items.
mod mapping;

// Their way.
mod answer;
mod body;
mod service;

pub use amplitude::{Amplitude, Region};
pub use mapping::{Item, Products, Target};
pub use settings::AmplitudeSettings;
pub use tracklane_http::{Explanation, Mapped, Secret, SettingError};
