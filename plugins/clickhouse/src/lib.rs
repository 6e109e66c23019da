//! Inserts events into a table of ClickHouse over HTTP.
//!
//! Invariants: a row has the event's `message_id`. The same rows in the same request have the same de-duplication token
//! in every attempt. An insert is waited for, so delivered events are stored. The password is in no `Debug` and no
//! error.
//!
//! In the order of the files: [`ClickHouse`] holds the settings and makes the destination. [`ClickHouseSettings`] are
//! the same as data. `table` has the statement that creates the table. `row` makes an event into a row, without I/O.
//! The `service` inserts, and `answer` reads ClickHouse's error codes.
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
mod clickhouse;
mod settings;
mod table;

// From an event to a row.
mod row;

// Its way.
mod answer;
mod service;

pub use clickhouse::ClickHouse;
pub use row::Sections;
pub use settings::ClickHouseSettings;
pub use tracklane_http::{Explanation, Mapped, Secret, SettingError};
