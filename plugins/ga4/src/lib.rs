//! Sends events to Google Analytics 4 by its Measurement Protocol.
//!
//! Google answers 2xx to everything, a wrong secret included, so its rules are checked here: names, counts, lengths, age.
//!
//! Invariants: a request keeps every limit. It has events of one client, one user and one set of user properties.
//! Nothing is invented (no client id, no time, no currency, no sender's address). An event that may have been counted
//! is not sent again, unless Google de-duplicates it. The secret is in no `Debug` and no error.
//!
//! In the order of the files: [`Ga4`] holds the settings and makes the destination. [`Ga4Settings`] are the same as
//! data. `mapping` makes an event into a hit, without I/O. `hits` groups them into bodies. The `service` sends these.
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
mod ga4;
mod settings;
mod stream;

// From an event to a hit, and from hits to bodies.
mod hits;
mod mapping;

// Their way.
mod service;

pub use ga4::{Ga4, Region};
pub use mapping::{Consent, Hit};
pub use settings::Ga4Settings;
pub use tracklane_http::{Explanation, Mapped, Secret, SettingError};
