//! The common parts of destinations that speak HTTP. They are functions and small types, no framework: each destination
//! keeps its own mapping of events, and its own reading of partial failures.
//!
//! Invariants: no secret is in a `Debug`, a `Display` or an error. Plaintext goes only to this machine, unless it is
//! allowed. An answer is read only up to a limit. Pure functions decide what an answer means.
//!
//! In the order of the files: an [`Endpoint`] is a checked URL. A [`Secret`] hides itself, and [`Auth`] makes it a
//! header. [`check_name`] and [`check_timeout`] check the settings that every vendor has. A [`Payload`] is a body with
//! its type. A [`Client`] sends it and returns a [`Received`]. [`verdict()`] and [`Received::answer`] decide what
//! follows. A vendor's mapping reads an [`EventJson`] and returns [`Mapped`]. [`Chunks`] cuts the items into bodies
//! within a vendor's limits, [`send_in_turn`] sends them, and [`Answers`] collects the answers to each event. An
//! [`Explanation`] shows requests without sending them. `testing`, a feature, has a scripted server.
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

// The address and the credentials.
mod auth;
mod endpoint;
mod secret;
mod settings;

// The mapping of events.
mod event_json;
mod items;
mod json;
mod mapped;

// The requests.
mod chunks;
mod client;
mod explanation;
mod host;
mod payload;
mod requests;

// The responses.
mod answers;
mod received;
mod verdict;

#[cfg(feature = "testing")]
pub mod testing;

pub use answers::Answers;
pub use auth::Auth;
pub use chunks::{Chunks, Limits};
pub use client::{Client, is_surely_unsent};
pub use endpoint::Endpoint;
pub use event_json::{CAMPAIGN, ContextTable, EventJson, at, millis, number, object, text};
pub use explanation::{Explanation, ShownRequest, switched_off, unwritable};
pub use host::host;
pub use items::{Items, map_batch, map_event, message_id};
pub use json::{Json, JsonObject};
pub use mapped::{EventError, Mapped};
pub use payload::Payload;
pub use received::{Received, Refused};
pub use requests::{Outgoing, send_in_turn};
pub use secret::Secret;
pub use settings::{SettingError, check_name, check_timeout};
pub use tracklane::segment::retry_after;
pub use verdict::verdict;
