//! Prints each event as a line, to see what a program sends.
//!
//! Invariants: nothing of an event is printed as a control character, so no event can control the terminal. A terminal
//! that blocks delays only this destination, because a thread of its own prints.
//!
//! In the order of the files: [`Console`] holds the settings and makes the destination. `line` makes a text of an
//! event. `printer` is the thread.
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

mod console;
mod line;
mod printer;

pub use console::{Color, Console, ConsoleSettings, Format, Stream};
