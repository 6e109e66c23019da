//! `tracklane worker`: delivers what gateways put into the log in JetStream.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tracklane_gateway::{Catalog, Worker};

use crate::exit::{Exit, Outcome};
use crate::gateway::{cannot_start, start_log};
use crate::output;

/// Deliver what is in the log of gateways, where that is in NATS JetStream
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// The configuration, the same as that of the gateways
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// Say that it works as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: WorkerArgs) -> Outcome {
    let runtime = start_log()?;
    runtime.block_on(async {
        let worker = Worker::start(&args.config, Catalog::stock()).await.map_err(cannot_start)?;
        let admin = worker.admin_address().map(|address| address.to_string());
        if args.json {
            output::line(&json!({ "schema": 1, "ready": true, "admin": admin }).to_string());
        } else {
            output::line("delivers what is in the log");
            if let Some(admin) = admin {
                output::line(&format!("health and metrics at http://{admin}"));
            }
        }
        worker.run_until_signalled().await;
        Ok(Exit::Fine)
    })
}
