//! `tracklane gateway`: a collector, as one TOML file describes it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio::runtime::Runtime;
use tracklane_gateway::{Catalog, Gateway, StartError};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Take events in from every SDK, keep them on the disk, and deliver them
#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// The configuration
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// Check the configuration, its plugins included, and end
    #[arg(long)]
    check: bool,
    /// Make the streams of [log.jetstream] that do not exist, and end. Nothing else makes them
    #[arg(long, conflicts_with = "check")]
    create_streams: bool,
    /// Say where it listens as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: GatewayArgs) -> Outcome {
    let catalog = Catalog::stock();
    if args.check {
        Gateway::check(&args.config, &catalog).map_err(|error| Failure::cannot_run(error.to_string()))?;
        output::line(&format!("{} is fine", args.config.display()));
        return Ok(Exit::Fine);
    }
    let runtime = start_log()?;
    runtime.block_on(async {
        if args.create_streams { create_streams(&args, &catalog).await } else { serve(args, catalog).await }
    })
}

/// Has what is logged go to the standard error, and makes the runtime.
pub(crate) fn start_log() -> Result<Runtime, Failure> {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO);
    log.with_ansi(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::cannot_run(format!("cannot start: {error}")))
}

async fn create_streams(args: &GatewayArgs, catalog: &Catalog) -> Outcome {
    let made = Gateway::create_streams(&args.config, catalog).await.map_err(cannot_start)?;
    if args.json {
        output::line(&json!({ "schema": 1, "created": made.created, "found": made.found }).to_string());
    } else {
        let (created, found) = (made.created.len(), made.found.len());
        output::line(&format!("{created} streams are made, {found} were there"));
    }
    Ok(Exit::Fine)
}

pub(crate) fn cannot_start(error: StartError) -> Failure {
    match error {
        StartError::Config(error) => Failure::cannot_run(error.to_string()),
        error => Failure::cannot_run(tracklane::text_with_causes(&error)),
    }
}

async fn serve(args: GatewayArgs, catalog: Catalog) -> Outcome {
    let gateway = Gateway::start(&args.config, catalog).await.map_err(cannot_start)?;
    let addresses: Vec<String> = gateway.addresses().iter().map(ToString::to_string).collect();
    let admin = gateway.admin_address().map(|address| address.to_string());
    if args.json {
        output::line(&json!({ "schema": 1, "ready": true, "addresses": addresses, "admin": admin }).to_string());
    } else {
        output::line(&format!("takes events at http://{}", addresses.join(", http://")));
        if let Some(admin) = admin {
            output::line(&format!("health and metrics at http://{admin}"));
        }
    }
    gateway.run_until_signalled().await;
    Ok(Exit::Fine)
}
