//! `tracklane park`: the events that wait apart because their destination takes nothing.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde_json::json;
use tracklane_gateway::ParkedLag;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::stream_log::StreamLog;

/// Look at what is parked in the log of gateways in JetStream, or have it tried at once
#[derive(Debug, Args)]
pub(crate) struct ParkArgs {
    #[command(subcommand)]
    command: ParkCommand,
}

#[derive(Debug, Subcommand)]
enum ParkCommand {
    /// A line for each destination: what is parked, and since when. Workers send it as soon as the destination takes it
    List(LogArgs),
    /// Have workers try it at once and in its order, however long the destination asked them to wait
    Release(ReleaseArgs),
}

#[derive(Debug, Args)]
struct LogArgs {
    /// The configuration of the gateways
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// A line of JSON for each
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ReleaseArgs {
    #[command(flatten)]
    log: LogArgs,
    /// The destinations, as `park list` names them, such as main/Segment.io
    #[arg(value_name = "PLACE", required_unless_present = "all", conflicts_with = "all")]
    places: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: ParkArgs) -> Outcome {
    match args.command {
        ParkCommand::List(args) => list(&args),
        ParkCommand::Release(args) => release(&args),
    }
}

fn open(args: &LogArgs) -> Result<StreamLog, Failure> {
    StreamLog::of(&args.config)?.ok_or_else(|| {
        let problem =
            "has its log on the disk, where each destination waits by itself: `tracklane lag` shows what does";
        Failure::usage(format!("{} {problem}", args.config.display()))
    })
}

fn list(args: &LogArgs) -> Outcome {
    let log = open(args)?;
    for parked in log.wait(log.log.parked())? {
        let oldest = parked.oldest.map(|at| SystemTime::now().duration_since(at).unwrap_or_default().as_secs());
        if args.json {
            let line = json!({
                "schema": 1, "where": parked.place, "messages": parked.messages, "oldestSeconds": oldest,
            });
            output::line(&line.to_string());
        } else {
            let since = oldest.map_or_else(String::new, |seconds| format!(", the oldest for {seconds} s"));
            output::line(&format!("{}  {} messages{since}", parked.place, parked.messages));
        }
    }
    Ok(Exit::Fine)
}

fn release(args: &ReleaseArgs) -> Outcome {
    let log = open(&args.log)?;
    let parked = log.wait(log.log.parked())?;
    let mut exit = Exit::Fine;
    for place in args.places.iter().filter(|place| !parked.iter().any(|parked| parked.place == **place)) {
        output::note(&format!("nothing is parked of {place:?}"));
        exit = Exit::Findings;
    }
    for parked in parked.iter().filter(|parked| args.all || args.places.contains(&parked.place)) {
        if !log.wait(log.log.release(parked))? {
            return Err(Failure::cannot_run("no worker has heard it: start one with `tracklane worker`".to_owned()));
        }
        say(parked, args.log.json);
    }
    Ok(exit)
}

fn say(released: &ParkedLag, json: bool) {
    let ParkedLag { place, messages, .. } = released;
    if json {
        output::line(&json!({ "schema": 1, "where": place, "messages": messages, "released": true }).to_string());
    } else {
        output::line(&format!("{place}  {messages} messages are tried at once"));
    }
}
