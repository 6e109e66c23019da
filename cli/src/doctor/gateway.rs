//! The meaning of a gateway's 200, with its log as it is.

use std::path::Path;

use super::Check;
use crate::stream_log::StreamLog;

const POWER: &str = "A loss of power is survived if the servers have `sync_interval: always`, which NATS does not tell its clients: \
                     by default they sync every two minutes. With three copies only a loss of power of all of them at once counts.";

pub(super) fn log(config: &Path) -> Vec<Check> {
    let log = match StreamLog::of(config) {
        Ok(log) => log,
        Err(failure) => {
            let advice = "Mend what is named. Gateways take events to their disk meanwhile; workers do not start.";
            return vec![Check::wrong("gateway-log", failure.message, advice)];
        }
    };
    let Some(log) = log else {
        let message =
            "a 200 means that the events are in synced files of this machine: it survives every end of the process";
        let advice = "It does not survive the loss of the disk. [log.jetstream] with replicas = 3 does.";
        return vec![Check::note("gateway-log", message, advice)];
    };
    let (version, replicas) = (log.log.server_version(), log.log.replicas());
    let survives = match replicas {
        1 => "it survives every end of gateways, workers and NATS, and not the loss of the machine of NATS",
        _ => "it survives every end of gateways, workers and NATS, and the loss of a machine",
    };
    let message = format!("a 200 means that {replicas} NATS servers (version {version}) have the events: {survives}");
    let away = "While NATS is away, a 200 means that the events are in synced files of the gateway's disk.";
    vec![Check::fine("gateway-log", message), Check::note("gateway-log-power", POWER, away)]
}
