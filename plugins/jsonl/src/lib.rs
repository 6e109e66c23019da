//! Writes events to files, one JSON object a line, and reads them back.
//!
//! Invariants: a file without the ending `.part` is complete and is never written again. A line is the event's JSON as
//! every destination gets it. A batch is delivered only when its bytes are written, and synced if that is set. Delivery
//! is at least once: a batch that failed half-way is written again, with the same `messageId`s.
//!
//! In the order of the files: [`Jsonl`] holds the settings and makes the destination. Its service hands batches to a
//! thread of its own, the `writer`, which sorts the `line` of each event into files by its `head` and a `template`. A
//! `file` rotates, syncs and takes its final name when it is finished. [`Reader`] reads such files.
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
mod jsonl;
mod service;

// The thread that writes.
mod file;
mod head;
mod line;
mod template;
mod writer;

// The way back.
mod reader;

pub use jsonl::{Compression, Jsonl, JsonlError, JsonlSettings, Sync};
pub use line::Explanation;
pub use reader::{ReadError, Reader};
