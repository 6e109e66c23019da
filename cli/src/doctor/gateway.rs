//! The meaning of a gateway's 200, with its log as it is.

use std::path::Path;

use super::nats::{self, FileSync};
use super::{Check, Checks};
use crate::stream_log::StreamLog;

const ALWAYS: &str =
    "Set `jetstream { sync_interval: always }` at every server to survive it; publishing is slower then.";

/// `monitors` are the monitoring addresses of the NATS servers.
pub(super) fn log(config: &Path, monitors: &[String]) -> Checks {
    let log = match StreamLog::of(config) {
        Ok(log) => log,
        Err(failure) => {
            let advice = "Mend what is named. Gateways take events to their disk meanwhile; workers do not start.";
            return Ok(vec![Check::wrong("gateway-log", failure.message, advice)]);
        }
    };
    let Some(log) = log else {
        let message =
            "a 200 means that the events are in synced files of this machine: it survives every end of the process";
        let advice = "It does not survive the loss of the disk. [log.jetstream] with replicas = 3 does.";
        return Ok(vec![Check::note("gateway-log", message, advice)]);
    };
    let (version, replicas) = (log.log.server_version(), log.log.replicas());
    let survives = match replicas {
        1 => "it survives every end of gateways, workers and NATS, and not the loss of the machine of NATS",
        _ => "it survives every end of gateways, workers and NATS, and the loss of a machine",
    };
    let message = format!("a 200 means that {replicas} NATS servers (version {version}) have the events: {survives}");
    let mut checks = vec![Check::fine("gateway-log", message)];
    checks.extend(power(replicas, monitors)?);
    let message = "while NATS is away, a 200 means that the events are in synced files of the gateway's disk";
    checks.push(Check::note("gateway-log-away", message, "They are published once NATS is back."));
    Ok(checks)
}

/// Says what a 200 is worth after a loss of power.
fn power(replicas: u8, monitors: &[String]) -> Checks {
    const ID: &str = "gateway-log-power";
    if monitors.is_empty() {
        let message = format!(
            "NATS does not tell its clients when it syncs its files. By default it does every two minutes: {}",
            lost(replicas, "two minutes")
        );
        let advice = "Ask the servers themselves, each at its monitoring port: --nats-monitor http://HOST:8222";
        return Ok(vec![Check::note(ID, message, advice)]);
    }
    let mut checks = Vec::with_capacity(monitors.len());
    for url in monitors {
        checks.push(match nats::sync_of(url)? {
            Ok((server, FileSync::Always)) => {
                let message = format!("the NATS server {server} syncs every message before it acknowledges it");
                Check::fine(ID, format!("{message}: on this server a 200 survives a loss of power"))
            }
            Ok((server, FileSync::Every(interval))) => {
                let interval = format!("{} s", interval.as_secs());
                let message = format!("the NATS server {server} syncs its files every {interval}");
                Check::note(ID, format!("{message}: {}", lost(replicas, &interval)), ALWAYS)
            }
            Err(problem) => {
                let advice = "Start the server with a monitoring port (`http_port: 8222`), and name that port.";
                Check::wrong(ID, format!("{url} does not say when NATS syncs its files: {problem}"), advice)
            }
        });
    }
    Ok(checks)
}

fn lost(replicas: u8, interval: &str) -> String {
    match replicas {
        1 => format!("a loss of power of its machine can lose the events of the last {interval}"),
        _ => format!(
            "a loss of power of one machine loses nothing; one of most machines at once can lose the events of the last {interval}"
        ),
    }
}
