//! Keeps secrets and personal data out of product events.
//!
//! Invariant: an event leaves this plugin redacted, or it does not leave. Whatever cannot be looked at (nested too
//! deep, a rule that fails) is replaced or drops the event; nothing is passed on unread.
//!
//! In the order of the files: [`Redact`] collects rules and checks them. A *scan* reads an event without changing it
//! and finds out whether any rule applies. Only then an *edit* applies the rules.
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

// The settings.
mod action;
mod error;
mod redact;
mod settings;

// The checked rules.
mod key;
mod path;
mod rules;

// The detectors of sensitive text.
mod detect;

// The work on an event.
mod edit;
mod scan;

pub use action::Action;
pub use detect::Detector;
pub use error::RedactError;
pub use redact::{Counts, Redact};
pub use settings::{KeyRule, PathRule, Preset, RedactSettings, ValueRule};
