//! `tracklane gateway`: a collector, as one TOML file describes it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tracklane_gateway::{Catalog, Gateway};

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
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO);
    log.with_ansi(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::cannot_run(format!("cannot start: {error}")))?;
    runtime.block_on(serve(args, catalog))
}

async fn serve(args: GatewayArgs, catalog: Catalog) -> Outcome {
    let gateway = Gateway::start(&args.config, catalog).await.map_err(|error| match error {
        tracklane_gateway::StartError::Config(error) => Failure::cannot_run(error.to_string()),
        error => Failure::cannot_run(tracklane::text_with_causes(&error)),
    })?;
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
