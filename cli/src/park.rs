//! `tracklane park`: the events that wait apart because their destination takes nothing.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::stream_log::StreamLog;

/// Look at what is parked in the log of gateways in JetStream
#[derive(Debug, Args)]
pub(crate) struct ParkArgs {
    #[command(subcommand)]
    command: ParkCommand,
}

#[derive(Debug, Subcommand)]
enum ParkCommand {
    /// A line for each destination: what is parked, and since when. Workers send it as soon as the destination takes it
    List(ListArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// The configuration of the gateways
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// A line of JSON for each
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: ParkArgs) -> Outcome {
    let ParkCommand::List(args) = args.command;
    let Some(log) = StreamLog::of(&args.config)? else {
        let problem =
            "has its log on the disk, where each destination waits by itself: `tracklane lag` shows what does";
        return Err(Failure::usage(format!("{} {problem}", args.config.display())));
    };
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
