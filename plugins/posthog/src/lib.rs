//! Sends events to PostHog's batch endpoint.
//!
//! Invariants: an event has the same `uuid` in every attempt. Nothing is invented (no id, no time, no sender's
//! address), but for the one user of all group calls without a `userId`. Nothing in an event's properties overwrites its
//! identity. The project key is in no `Debug` and no error.
//!
//! In the order of the files: [`PostHog`] holds the settings and makes the destination. [`PostHogSettings`] are the
//! same as data. `mapping` makes an event into PostHog's form, without I/O. The `service` sends it, and `answer` has
//! the verdict on an answer.
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
mod posthog;
mod settings;

// From an event to PostHog's form.
mod mapping;

// Its way.
mod answer;
mod service;

pub use mapping::PersonProfiles;
pub use posthog::{PostHog, Region};
pub use settings::PostHogSettings;
pub use tracklane_http::{Explanation, Mapped, Secret, SettingError};
