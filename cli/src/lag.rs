//! `tracklane lag`: the events that wait in a gateway's log, and since when. It reads the folders, so the gateway need
//! not run.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;
use tracklane_gateway::Layout;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

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
        output::line(&format!("{:<40} {:>10} {:>14} {:>10} {:>8}", "where", "waiting", "bytes", "oldest", "dead"));
    }
    for store in stores {
        let backlog = store.backlog().map_err(unreadable)?;
        let mut dead = 0_u64;
        store.letters().visit(|_| dead += 1).map_err(unreadable)?;
        let oldest = backlog.oldest.map(|at| SystemTime::now().duration_since(at).unwrap_or_default().as_secs());
        if args.json {
            let line = json!({
                "schema": 1, "where": store.name, "waiting": backlog.events, "bytes": backlog.bytes, "oldestSeconds": oldest,
                "dead": dead,
            });
            output::line(&line.to_string());
        } else {
            let oldest = oldest.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds}s"));
            let (events, bytes) = (backlog.events, backlog.bytes);
            output::line(&format!("{:<40} {events:>10} {bytes:>14} {oldest:>10} {dead:>8}", store.name));
        }
    }
    Ok(Exit::Fine)
}
