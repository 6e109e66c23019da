//! Adds data to events that is derived from their context: the campaign and the referrer of a page, the browser and the
//! system of a user agent, the place of an IP address. It can also add where the process runs.
//!
//! Invariants: nothing of an event is overwritten. Nothing is guessed, so unknown data is not written. Only the event
//! itself is read, never the connection that brought it. No event waits for the disk or the network.
//!
//! In the order of the files: [`Enrich`] holds the settings and makes the plugin. [`EnrichSettings`] are the same as
//! data. `campaign`, `referrer`, `user_agent` and `location` are pure functions of the context. [`GeoIp`] is a database
//! that is read again when it changes. `metadata` describes where the process runs. `order` notices a plugin that
//! removes the data before it is read here.
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

// The settings, and the plugin that they make.
mod enrich;
mod error;
mod order;
mod plugin;
mod settings;

// The readers of the context.
mod address;
mod campaign;
mod location;
mod referrer;
mod user_agent;
mod web_url;

// The sources outside the event.
mod geoip;
mod metadata;

pub use enrich::Enrich;
pub use error::EnrichError;
pub use geoip::GeoIp;
pub use settings::EnrichSettings;
