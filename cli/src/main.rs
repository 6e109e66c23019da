//! The command `tracklane`: see every event of any Segment SDK, send, import, check and expect events.
//!
//! Data goes to standard output, messages to standard error. Exit codes are in [`exit`].

#![forbid(unsafe_code)]
#![warn(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod dev;
mod exit;
mod expect;
mod filter;
mod output;
mod plan;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Outcome;

/// See, send, import and check product events, for any Segment SDK.
#[derive(Debug, Parser)]
#[command(name = "tracklane", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen as Segment does, and show every event
    Dev(dev::DevArgs),
}

fn main() -> ExitCode {
    let outcome = run(Cli::parse().command);
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            output::note(&format!("tracklane: {failure}"));
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Dev(args) => dev::run(args),
    }
}
