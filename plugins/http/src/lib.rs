//! What destinations that speak HTTP have in common. Functions and small types, no framework: each destination keeps its
//! own mapping of events, and its own reading of partial failures.
//!
//! Invariants: no secret is in a `Debug`, a `Display` or an error; plaintext goes to this machine only, unless it is
//! allowed; no more of an answer is read than the cap; what an answer means is decided by pure functions.
//!
//! In the order of the files: an [`Endpoint`] is a checked URL; a [`Secret`] hides itself, and [`Auth`] makes it a
//! header; a [`Payload`] is a body with its type; a [`Client`] sends it and gives a [`Received`] back; [`verdict()`] and
//! [`Received::answer`] say what follows. A vendor's mapping reads an [`EventJson`] and makes it [`Mapped`]; [`Chunks`] cuts
//! what it made into bodies that keep a vendor's limits, [`send_in_turn`] sends them, and [`Answers`] collects what is said
//! of each event. An [`Explanation`] shows requests without sending them.
//! [`testing`] has a server that answers as a script says.
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

// Where to, and who says so.
mod auth;
mod endpoint;
mod secret;

// From events to what a vendor takes.
mod event_json;
mod items;
mod json;
mod mapped;

// What goes out.
mod chunks;
mod client;
mod explanation;
mod payload;
mod requests;

// What comes back.
mod answers;
mod received;
mod verdict;

#[cfg(feature = "testing")]
pub mod testing;

pub use answers::Answers;
pub use auth::Auth;
pub use chunks::{Chunks, Limits};
pub use client::Client;
pub use endpoint::Endpoint;
pub use event_json::{EventJson, at, millis, number, object, text};
pub use explanation::{Explanation, ShownRequest, switched_off, unwritable};
pub use items::{Items, map_batch, map_event, message_id};
pub use json::{Json, JsonObject};
pub use mapped::{EventError, Mapped};
pub use payload::Payload;
pub use received::{Received, Refused};
pub use requests::{Outgoing, send_in_turn};
pub use secret::Secret;
pub use tracklane::segment::retry_after;
pub use verdict::verdict;

/// Why a setting cannot be used. It names the setting and says what to write instead; no secret is in it.
#[derive(Debug, thiserror::Error)]
#[error("setting {setting}: {problem}")]
#[non_exhaustive]
pub struct SettingError {
    /// The name of the setting.
    pub setting: &'static str,
    /// What is wrong, and what to write instead.
    pub problem: String,
    /// What led to it.
    pub source: Option<tracklane::BoxError>,
}

impl SettingError {
    /// An error of the setting called `setting`. `problem` must hold no secret.
    pub fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into(), source: None }
    }

    /// Adds what led to it, which must hold no secret either.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<tracklane::BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}
