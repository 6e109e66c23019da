//! A collector for product events: Segment's tracking API in front, a durable log, and tracklane's destinations behind.
//!
//! ```text
//!  SDKs ─▶ sources: keys, limits ─▶ pipeline: plugins ─▶ a synced file of the spool ─▶ 200
//!                                                             in front of each destination
//!                                                                      │
//!                              delivered, dead with its reason, or waiting ◀── destination
//! ```
//!
//! A program of its own needs ten lines:
//!
//! ```no_run
//! use tracklane::plugin::{Destination, Batch};
//! use tracklane_gateway::{Catalog, Gateway};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Warehouse {
//!     table: String,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let catalog = Catalog::stock().destination("warehouse", |settings: Warehouse| {
//!         println!("into {}", settings.table);
//!         Ok::<_, std::io::Error>(Destination::from_fn("warehouse", |_: Batch| async { Ok::<(), std::io::Error>(()) }))
//!     });
//!     Gateway::start("gateway.toml", catalog).await?.run_until_signalled().await;
//!     Ok(())
//! }
//! ```
//!
//! Invariant: 200 means that each event is synced to the disk in front of every destination that is to have it, or was
//! dropped by a plugin on purpose, or is named as rejected in the answer. An event that was answered with 200 is
//! delivered, dead with its reason, or waits; no end of the process changes that. With JetStream as the log, a stream has
//! the event in place of the disk, or the disk has it until the stream does.
//!
//! In the order of the files: [`Gateway`] starts and stops, `state` is what a reload replaces; `config` reads one TOML file; the [`Catalog`] knows
//! plugins by name, and `stock` has those of tracklane; `sources` and `rate` say who may send; `receive` answers a
//! request; `assemble` makes an event of what was sent, with `clock_skew` and `ip`; a `pipeline` is a client in front of
//! the `log`: a spool in front of each destination, or `jetstream`; `rejects`
//! keeps what was not taken; `admin` and `metrics` tell how it goes.

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

// The whole.
mod gateway;
mod reload;
mod signal;
mod state;

// The configuration.
mod catalog;
mod config;
mod segment;
mod stock;

// A request on its way.
mod assemble;
mod clock_skew;
mod detach;
mod ip;
mod paths;
mod rate;
mod receive;
mod rejects;
mod sources;

// Behind it.
mod jetstream;
mod log;
mod pipeline;
mod worker;

// The reports.
mod admin;
mod layout;
mod metrics;
mod requests;

pub use catalog::Catalog;
pub use config::ConfigError;
pub use gateway::Gateway;
pub use jetstream::{CreatedStreams, DeadEntry, JetStreamLog, LogError, OperatorError, ParkedLag, PartitionLag};
pub use layout::{DeadStore, Layout};
pub use state::StartError;
pub use worker::Worker;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
