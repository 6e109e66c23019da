//! A crash-safe queue on disk in front of any destination of [tracklane](https://docs.rs/tracklane).
//!
//! ```text
//!  lane ─▶ acceptor: one file per batch, synced ─▶ "delivered"
//!                        │
//!                 directory/0000/00000000000000000042.100.batch
//!                        │ handed over in memory, or read later
//!                 backend: feeder ─▶ a client of its own ─▶ the destination ─▶ the file is deleted
//! ```
//!
//! ```no_run
//! use tracklane::Analytics;
//! use tracklane::segment::Segment;
//! use tracklane_spool::Spool;
//!
//! let segment = Segment::new("WRITE_KEY").build()?;
//! let spool = Spool::new("/var/lib/shop/analytics");
//! let analytics = Analytics::builder().plugin(spool.in_front_of(segment)).build()?;
//! # Ok::<(), tracklane::SettingsError>(())
//! ```
//!
//! # What is promised
//!
//! An event that the destination with a spool reports as delivered (by a receipt, a callback, a flush) is on the disk
//! and synced. No end of the process loses it, `kill -9` included. It is sent with its own `messageId` and `timestamp`,
//! at least once. An event that was sent and not yet deleted when the process ended is sent again. A destination that
//! de-duplicates by `messageId`, as Segment does over at least 24 hours, drops the second.
//!
//! Events of the last [`Spool::flush_interval`] are not safe yet; `flush()` makes them so.
//!
//! # When things go wrong
//!
//! | | |
//! |---|---|
//! | the disk is full or fails, the directory cannot be opened within a second, or [`Spool::max_bytes`] wait | events go to the destination from memory, and are reported as delivered when it has them; `error` says so once. The queue in front fills, and then calls return an error: nothing that was acknowledged is dropped for what is new |
//! | the destination is down | files wait; attempts go on as its own retry policy says, and for ever |
//! | the destination refuses an event for good | it is dropped and counted, as without a spool, and `error` says so |
//! | the destination refuses the credentials (401, 403) | files wait, as when it is down: a wrong key is no fault of the events. They go out within a minute after the key was changed ([`KeyHandle`](tracklane::segment::KeyHandle)), or after a restart with the right one |
//! | a file waits longer than [`Spool::max_age`] | it is dropped, counted, and `error` says so |
//! | no thread is to be had at the start | events wait in memory, and it is tried again every second; `error` says so once |
//! | the destination does not load | its events wait on the disk until a start at which it does; `error` says so |
//! | an event cannot be read | `error` names it, the others of its file are sent, and the file is renamed to `….corrupt` |
//! | a file is damaged or not ours | it is renamed to `….corrupt`, and `error` says so |
//! | a file cannot be read | it is skipped and tried again now and then, until it is too old; `error` says so once |
//! | the directory holds events for another destination | they are left alone until a spool in front of that one uses it, and `error` says so once |
//! | two processes use one directory | each takes a subdirectory of its own by a lock of the operating system, and adopts those whose process has ended |
//!
//! The directory must lie on a local file system, below one that only the service's user can write. Its files can be
//! read by that user only (on Unix); they hold events as they are sent, and no keys.

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

// The handle of the application.
#[cfg(feature = "metrics")]
mod metrics;
mod spool;
mod stats;

// In front and behind.
mod acceptor;
mod attempts;
mod backend;
mod disposition;
mod ended;
mod ending;
mod feeder;
mod handover;
mod lifecycle;
mod memory;
mod report;
mod running;
mod setup;
mod waiting;

// The directory, a slot in it, a file in that, and the file system.
mod age;
mod backlog;
mod dead;
mod disk;
mod disk_thread;
mod frame;
mod slot;
mod store;

#[cfg(test)]
mod tests;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use backlog::Backlog;
pub use dead::{DeadLetter, DeadLetters};
pub use spool::Spool;
pub use stats::SpoolStats;
