//! Keeps secrets and personal data out of product events.
//!
//! Invariant: an event leaves this plugin redacted, or it does not leave. Whatever cannot be looked at (nested too
//! deep, a rule that fails) is replaced or drops the event; nothing is passed on unread.
//!
//! In the order of the files: [`Redact`] collects rules and checks them; a *scan* reads an event without changing it
//! and finds out whether any rule applies; only then an *edit* rewrites what the rules name.
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

// What is asked for.
mod action;
mod error;
mod redact;
mod settings;

// What it is checked into.
mod key;
mod path;
mod rules;

// What finds sensitive text.
mod detect;

// What is done to an event.
mod edit;
mod scan;

pub use action::Action;
pub use detect::Detector;
pub use error::RedactError;
pub use redact::{Counts, Redact};
pub use settings::{KeyRule, PathRule, Preset, RedactSettings, ValueRule};
