//! `tracklane doctor`: problems of the settings and of the way to the host, each with a cause and the remedy.

mod checks;
mod exchange;
mod gateway;
mod nats;
mod network;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::target::Target;

/// Look at settings, network, clock, disk and limits, and say what is wrong
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    target: Target,
    /// The folder of a spool
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// The configuration of a gateway: what a 200 means with its log as it is. Nothing else of a service is looked at
    /// then, unless a key or a host is given
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    gateway: Option<PathBuf>,
    /// The monitoring address of a NATS server of the gateway's log, such as http://10.0.0.1:8222: it says when the
    /// server syncs its files. Once for each server
    #[arg(long, value_name = "URL", requires = "gateway")]
    nats_monitor: Vec<String>,
    /// Ask nothing over the network
    #[arg(long)]
    offline: bool,
    /// A line of JSON for each check
    #[arg(long)]
    json: bool,
}

/// The result of one check.
#[derive(Debug)]
struct Check {
    /// The name that does not change.
    id: &'static str,
    state: CheckState,
    message: String,
    /// The remedy.
    advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CheckState {
    Fine,
    /// Nothing is wrong, but there is something to know.
    Note,
    Wrong,
}

impl Check {
    fn fine(id: &'static str, message: impl Into<String>) -> Self {
        Self { id, state: CheckState::Fine, message: message.into(), advice: None }
    }

    fn note(id: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { id, state: CheckState::Note, message: message.into(), advice: Some(advice.into()) }
    }

    fn wrong(id: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { id, state: CheckState::Wrong, message: message.into(), advice: Some(advice.into()) }
    }
}

pub(crate) fn run(args: DoctorArgs) -> Outcome {
    // Who asks about a gateway has no key of a service, unless it is named.
    let is_about_service = args.gateway.is_none() || args.target.is_named();
    let mut checks = Vec::new();
    if is_about_service {
        checks.extend(checks::settings(&args.target));
        checks.push(checks::proxy());
        if !args.offline {
            checks.extend(network::network(&args.target)?);
        }
    }
    if let Some(folder) = &args.spool {
        checks.extend(checks::spool(folder));
    }
    if let Some(config) = &args.gateway {
        checks.extend(gateway::log(config, &args.nats_monitor)?);
    }
    checks.extend(checks::descriptors());
    if is_about_service {
        checks.push(checks::port());
        checks.push(checks::browser());
    }
    for check in &checks {
        show(check, args.json);
    }
    let wrong = checks.iter().filter(|check| check.state == CheckState::Wrong).count();
    if !args.json {
        output::line(&format!("{} checks, {wrong} wrong", checks.len()));
    }
    Ok(if wrong == 0 { Exit::Fine } else { Exit::Findings })
}

fn show(check: &Check, json: bool) {
    let Check { id, state, message, advice } = check;
    let (word, colour) = match state {
        CheckState::Fine => ("fine", 32),
        CheckState::Note => ("note", 36),
        CheckState::Wrong => ("wrong", 31),
    };
    if json {
        let row = json!({ "schema": 1, "id": id, "state": word, "message": message, "advice": advice });
        return output::line(&row.to_string());
    }
    output::line(&format!("{}  {id}: {message}", output::paint(&format!("{word:5}"), colour)));
    if let Some(advice) = advice {
        output::line(&format!("       {advice}"));
    }
}

type Checks = Result<Vec<Check>, Failure>;
