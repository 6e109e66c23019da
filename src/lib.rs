//! tracklane: server-side analytics for Rust.
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

mod background;
mod clock;
pub mod emitter;
mod error;
pub mod event;
mod ledger;
pub mod plugin;
pub mod segment;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

pub use error::{BoxError, SettingsError};
pub use event::{Event, Kind};
pub use ledger::*;
