//! Sends events to a webhook with signatures as [Standard Webhooks](https://www.standardwebhooks.com) has them, and
//! verifies such signatures.
//!
//! Invariants: the signature is over the exact bytes that are sent. The id of an event or batch is the same in every
//! attempt; the timestamp and with it the signature are those of the attempt. Secrets, passwords, the values of headers
//! and the path of the URL are in no `Debug` and no error.
//!
//! In the order of the files: [`Webhook`] holds the settings and makes the destination. [`WebhookSettings`] are the
//! same as data. `body` maps events, `id` names them, `signature` signs with a [`SigningSecret`]. The `request` is made
//! of those and sent by the `service`, and [`verdict()`] judges the answer. [`Explanation`] shows a request without
//! sending it. [`verify`] is for receivers.
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
mod method;
mod settings;
mod webhook;

// From events to a request.
mod body;
mod id;
mod request;
mod secret;
mod signature;

// Its way.
mod service;
mod verdict;

// The other end.
mod verify;

pub use body::Format;
pub use method::Method;
pub use secret::SigningSecret;
pub use settings::{BatchSettings, WebhookSettings};
pub use tracklane_http::{Explanation, Secret, SettingError, ShownRequest};
pub use verdict::verdict;
pub use verify::{Verified, VerifyError, verify, verify_at};
pub use webhook::Webhook;
