//! Vendors that take events in the form of Segment's tracking API. Each is a [`Segment`](tracklane::segment::Segment)
//! with a name, a host and other differences. Set all other settings on the `Segment` that these functions return.
//!
//! Like Segment, these vendors distribute events themselves by `integrations`. So they get also the events that say
//! `All: false`.
//!
//! In the order of the files: `vendors` has a function for each, and `settings` the same as data.
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

mod settings;
mod vendors;

pub use settings::{CustomerIoSettings, HightouchSettings, JitsuSettings, RudderStackSettings};
pub use vendors::{CustomerIoRegion, customer_io, hightouch, jitsu, rudderstack, traits_in_context};
