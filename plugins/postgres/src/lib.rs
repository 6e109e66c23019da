//! Stores events in PostgreSQL, a row each.
//!
//! Invariants: an event is acknowledged only when its row is committed; its row is there once, however often it is sent,
//! since `message_id` is the primary key; a row that the database refuses costs that row alone. No secret and no content
//! of an event is in a `Debug` or an error.
//!
//! In the order of the files: [`Postgres`] holds the settings and makes the destination, [`PostgresSettings`] are the
//! same as data; a [`Row`] is what is stored of an event, and an [`Explanation`] shows it; a `table` has a name, columns and the statement that creates it;
//! `insert` is one statement for all rows of a batch. The `service` sends it over a `connection`, which is made anew when
//! it breaks, over `tls`; `fault` says what an error of the database means.
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
