//! Sends a share of the events, and always the same share: a user is in it or is not, in every process.
//!
//! Invariants: the decision depends only on the seed, the key and the rate, by a documented hash. A key that is in the
//! share at one rate is in it at every higher rate. `identify`, `group` and `alias` always pass, because events of a
//! user without an identity are worth nothing.
//!
//! In the order of the files: [`Sampling`] collects rules and checks them. `rules` finds an event's rate. `share`
//! decides whether a key is in the share of that rate.
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

mod error;
mod rules;
mod sampling;
mod settings;
mod share;

pub use error::SamplingError;
pub use sampling::{SampleKey, Sampling};
pub use settings::{DestinationRate, EventRate, KindRate, SamplingSettings};
pub use share::in_share;
