//! Sends events to Mixpanel: events by its import, profiles of users and groups beside it.
//!
//! Invariants: an event has the same `$insert_id` and time in every attempt. What Mixpanel counts each time it is sent, and
//! may have counted, is not sent again. Nothing is invented (no id, no time, no
//! sender's address). Nothing in an event's properties overwrites its identity. The project's token and secret are in
//! no `Debug` and no error.
//!
//! In the order of the files: [`Mixpanel`] holds the settings and makes the destination. [`MixpanelSettings`] are the
//! same as data. `mapping` makes an event into Mixpanel's items, without I/O. The `service` sends them to their
//! endpoints, `charges` last, and `answer` reads Mixpanel's answer to each.
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
mod mixpanel;
mod service_account;
mod settings;

// From an event to Mixpanel's items.
mod mapping;

// Their way.
mod answer;
mod charges;
mod endpoints;
mod service;

pub use mapping::{IdMerge, Item, Products, Target};
pub use mixpanel::{Mixpanel, Region};
pub use service_account::ServiceAccount;
pub use settings::MixpanelSettings;
pub use tracklane_http::{Explanation, Mapped, Secret, SettingError};
