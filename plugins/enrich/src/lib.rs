//! Adds to events what their context tells: the campaign and the referrer of a page, the browser and the system of a user
//! agent, the place of an IP address; and where the process runs.
//!
//! Invariants: nothing that an event has is overwritten; nothing is guessed, so what is not known is not written; an event
//! is told of by itself alone, never by the connection that brought it; no event waits for the disk or the network.
//!
//! In the order of the files: [`Enrich`] holds the settings and makes the plugin, [`EnrichSettings`] are the same as data;
//! `campaign`, `referrer`, `user_agent` and `location` are pure functions of what the context has; [`GeoIp`] is a database
//! that is read again when it changes; `metadata` is where the process runs; `order` notices a plugin that takes out first
//! what is read here.
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

// What the context tells.
mod address;
mod campaign;
mod location;
mod referrer;
mod user_agent;
mod web_url;

// What is outside of the event.
mod geoip;
mod metadata;

pub use enrich::Enrich;
pub use error::EnrichError;
pub use geoip::GeoIp;
pub use settings::EnrichSettings;
