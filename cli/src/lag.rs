//! `tracklane lag`: the events that wait in a gateway's log, and since when. It reads the folders, so the gateway need
//! not run, and asks the log in JetStream if there is one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;
use tracklane_gateway::Layout;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::stream_log::StreamLog;

/// Show what waits for each destination of a gateway, and how many events are dead
#[derive(Debug, Args)]
pub(crate) struct LagArgs {
    /// The gateway's configuration
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// A line of JSON for each
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: LagArgs) -> Outcome {
    let layout = Layout::of(&args.config).map_err(|error| Failure::cannot_run(error.to_string()))?;
    let unreadable = |error| Failure::cannot_run(format!("the log cannot be read: {error}"));
    let stores = layout.stores().map_err(unreadable)?;
    if !args.json {
        let (waiting, bytes) = ("waiting", "bytes");
        output::line(&format!("{:<40} {waiting:>10} {:<8} {bytes:>14} {:>10} {:>8}", "where", "", "oldest", "dead"));
    }
    for store in stores {
        let backlog = store.backlog().map_err(unreadable)?;
        let mut dead = 0_u64;
        store.letters().visit(|_| dead += 1).map_err(unreadable)?;
        let (name, waiting, bytes) = (store.name, backlog.events, Some(backlog.bytes));
        say(&Line { name, waiting, unit: "events", bytes, oldest: backlog.oldest, dead: Some(dead) }, args.json);
    }
    if let Some(log) = StreamLog::of(&args.config)? {
        for lag in log.lag()? {
            let (name, waiting, oldest) = (lag.stream, lag.messages, lag.oldest);
            say(&Line { name, waiting, unit: "messages", bytes: None, oldest, dead: None }, args.json);
        }
        let mut dead: BTreeMap<String, u64> = BTreeMap::new();
        for entry in log.dead()? {
            *dead.entry(entry.place).or_default() += 1;
        }
        for (name, dead) in dead {
            say(&Line { name, waiting: 0, unit: "events", bytes: None, oldest: None, dead: Some(dead) }, args.json);
        }
    }
    Ok(Exit::Fine)
}

/// A place where events wait.
struct Line {
    name: String,
    waiting: u64,
    /// What is counted: events, or messages of many events.
    unit: &'static str,
    bytes: Option<u64>,
    oldest: Option<SystemTime>,
    dead: Option<u64>,
}

fn say(line: &Line, json: bool) {
    let Line { name, waiting, unit, bytes, oldest, dead } = line;
    let oldest = oldest.map(|at| SystemTime::now().duration_since(at).unwrap_or_default().as_secs());
    if json {
        let line = json!({
            "schema": 1, "where": name, "waiting": waiting, "unit": unit, "bytes": bytes, "oldestSeconds": oldest, "dead": dead,
        });
        output::line(&line.to_string());
        return;
    }
    let or_dash = |number: &Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let oldest = oldest.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds}s"));
    let (bytes, dead) = (or_dash(bytes), or_dash(dead));
    output::line(&format!("{name:<40} {waiting:>10} {unit:<8} {bytes:>14} {oldest:>10} {dead:>8}"));
}
