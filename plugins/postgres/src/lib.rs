//! Stores events in PostgreSQL, a row each.
//!
//! Invariants: an event is acknowledged only when its row is committed. There is one row for it, however often it is
//! sent, because `message_id` is the primary key. If the database refuses a row, only that row is lost. No secret and
//! no content of an event is in a `Debug` or an error.
//!
//! In the order of the files: [`Postgres`] holds the settings and makes the destination. [`PostgresSettings`] are the
//! same as data. A [`Row`] is the stored form of an event, and an
//! [`Explanation`] shows it. A `table` has a name, columns and the statement that creates
//! it. `insert` is one statement for all rows of a batch. The `service` sends it over a `connection`, which is made
//! again when it breaks, over `tls`. `fault` classifies errors of the database.
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
mod explanation;
mod postgres;
mod settings;
mod target;

// From events to a statement.
mod insert;
mod row;
mod table;

// Its way.
mod connection;
mod fault;
mod service;
mod tls;

pub use explanation::Explanation;
pub use postgres::Postgres;
pub use row::Row;
pub use settings::{BatchSettings, PostgresSettings};
pub use tracklane_http::{Mapped, Secret, SettingError};
