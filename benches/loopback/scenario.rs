//! What one run does, and how it is run: a server process, a client process, and what both report.

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::timing::Pace;
use crate::work::Work;

/// Set in a process that is to be the server: its [`ServerTask`].
pub(crate) const SERVER: &str = "TRACKLANE_BENCH_SERVER";
/// Set in a process that is to be the client: its [`ClientTask`].
pub(crate) const CLIENT: &str = "TRACKLANE_BENCH_CLIENT";

/// One way to send `events` events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Scenario {
    pub(crate) work: Work,
    pub(crate) events: u64,
    pub(crate) flush_at: usize,
    pub(crate) in_flight: usize,
    /// Events that may be under way; the caller waits and tries again, when there are more.
    pub(crate) queue: usize,
    pub(crate) gzip: bool,
    pub(crate) destinations: usize,
    /// Events that wait all the time.
    pub(crate) waiting: u64,
    /// Milliseconds that the server takes for an answer.
    pub(crate) delay: u64,
    /// Events offered per second, at even distances; without it, as fast as they go, and no call is timed.
    pub(crate) rate: Option<u64>,
    /// Times each call by itself.
    pub(crate) calls: Option<Pace>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            work: Work::default(),
            events: 200_000,
            flush_at: 100,
            in_flight: 8,
            queue: 10_000,
            gzip: false,
            destinations: 1,
            waiting: 0,
            delay: 0,
            rate: None,
            calls: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ServerTask {
    pub(crate) events: u64,
    pub(crate) delay: u64,
    /// The key under which an event has its number.
    pub(crate) id: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ClientTask {
    pub(crate) url: String,
    pub(crate) scenario: Scenario,
}

/// What a client says of its run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClientReport {
    /// Nanoseconds from the first call to the last acknowledgement.
    pub(crate) elapsed: u64,
    /// CPU time of the process meanwhile, in nanoseconds.
    pub(crate) cpu: u64,
    /// Peak memory in bytes, and what the process had before the first call.
    pub(crate) peak: u64,
    pub(crate) before: u64,
    /// Calls that were refused, and tried again.
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
    /// Nanoseconds of single calls, where they were timed.
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
}

/// What the server saw.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ServerReport {
    pub(crate) once: u64,
    pub(crate) again: u64,
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) connections: u64,
    pub(crate) in_flight: u64,
}

/// Runs it in two processes, and makes sure that every event arrived exactly once.
pub(crate) fn run(scenario: &Scenario) -> Result<(ClientReport, ServerReport), Box<dyn Error>> {
    let (said, seen) = run_and_count(scenario)?;
    let expected = if scenario.work.is_sent() { scenario.events } else { 0 };
    if (seen.once, seen.again) != (expected, 0) {
        return Err(format!("{expected} events sent, {} arrived, {} more than once", seen.once, seen.again).into());
    }
    Ok((said, seen))
}

/// Runs it in two processes.
pub(crate) fn run_and_count(scenario: &Scenario) -> Result<(ClientReport, ServerReport), Box<dyn Error>> {
    let id = scenario.work.id_key().to_owned();
    let task = ServerTask { events: scenario.events, delay: scenario.delay, id };
    let mut server = spawn(SERVER, &serde_json::to_string(&task)?)?;
    let mut said = BufReader::new(server.stdout.take().ok_or("no output")?).lines();
    let url = said.next().ok_or("the server did not start")??;
    let task = ClientTask { url, scenario: scenario.clone() };
    let client = spawn(CLIENT, &serde_json::to_string(&task)?)?.wait_with_output()?;
    if !client.status.success() {
        return Err(format!("the client failed: {scenario:?}").into());
    }
    // The end of its input is what it waits for.
    drop(server.stdin.take());
    let seen = serde_json::from_str(&said.next().ok_or("the server did not report")??)?;
    server.wait()?;
    Ok((serde_json::from_slice(&client.stdout)?, seen))
}

fn spawn(role: &str, task: &str) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    Ok(command.env(role, task).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}
