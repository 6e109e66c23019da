//! The command `tracklane`: see every event of any Segment SDK, send, import, check and expect events.
//!
//! Data goes to standard output, messages to standard error. Exit codes are in [`exit`].
//!
//! The only indexing is of a JSON value by a name. It returns null for a missing member, and sets a member only in a
//! value that was made an object just before. Slices use `get`.

#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod bench;
mod check;
mod client;
mod dead;
mod dev;
mod doctor;
mod duration;
mod edit;
mod exit;
mod expect;
mod explain;
mod filter;
mod gateway;
mod import;
mod lag;
mod output;
mod pages;
mod park;
mod plan;
mod replay;
mod replay_log;
mod send;
mod signals;
mod source;
mod stream_log;
mod tail;
mod target;
mod worker;

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
    Dev(dev::DevArgs),
    Send(send::SendArgs),
    Import(import::ImportArgs),
    Tail(tail::TailArgs),
    Replay(replay::ReplayArgs),
    Check(check::CheckArgs),
    Expect(expect::ExpectArgs),
    Bench(bench::BenchArgs),
    Doctor(doctor::DoctorArgs),
    Gateway(gateway::GatewayArgs),
    Worker(worker::WorkerArgs),
    Lag(lag::LagArgs),
    Dead(dead::DeadArgs),
    Park(park::ParkArgs),
    Completions(pages::CompletionsArgs),
    Man(pages::ManArgs),
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
        Command::Send(args) => send::run(args),
        Command::Import(args) => import::run(args),
        Command::Tail(args) => tail::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Check(args) => check::run(args),
        Command::Expect(args) => expect::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Gateway(args) => gateway::run(args),
        Command::Worker(args) => worker::run(args),
        Command::Lag(args) => lag::run(args),
        Command::Dead(args) => dead::run(args),
        Command::Park(args) => park::run(args),
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args),
    }
}
