//! One run: starts a server process and a client process, and collects their reports.

use std::env;
use std::error::Error;
use std::fmt::Debug;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::report::{ClientReport, ServerReport};

/// The environment variable of a server process: its [`ServerTask`].
pub(crate) const SERVER: &str = "TRACKLANE_BENCH_SERVER";
/// The environment variable of a client process: its [`ClientTask`].
pub(crate) const CLIENT: &str = "TRACKLANE_BENCH_CLIENT";

/// The work of a benchmark's client. Each benchmark has its own.
pub(crate) trait Work: Copy + Debug + Default + Serialize + DeserializeOwned {
    /// Does the work, in the client process.
    fn run(self, url: &str, scenario: &Scenario<Self>) -> Result<ClientReport, Box<dyn Error>>;

    /// Returns whether its events go to the server.
    fn is_sent(self) -> bool;

    /// Returns the key of an event's number.
    fn id_key(self) -> &'static str;
}

impl<W> Scenario<W> {
    /// Events at a rate, for some time.
    pub(crate) fn at_rate(self, rate: u64, seconds: u64) -> Self {
        Self { events: rate * seconds, rate: Some(rate), seconds, ..self }
    }
}

/// One way to send `events` events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "W: Default + Deserialize<'de>"))]
pub(crate) struct Scenario<W> {
    pub(crate) work: W,
    pub(crate) events: u64,
    pub(crate) flush_at: usize,
    pub(crate) in_flight: usize,
    /// The most events in progress. Beyond it the caller waits and tries again.
    pub(crate) queue: usize,
    pub(crate) gzip: bool,
    pub(crate) destinations: usize,
    /// The number of events that always wait.
    pub(crate) waiting: u64,
    /// Milliseconds from a request to the server's answer.
    pub(crate) delay: u64,
    /// Events per second, at even intervals. Without it, calls follow each other at once and are not timed.
    pub(crate) rate: Option<u64>,
    /// The duration at that rate. Without it, until all events are sent.
    pub(crate) seconds: u64,
    /// The number of clients that share the events.
    pub(crate) clients: usize,
    /// Times each call by itself.
    pub(crate) calls: Option<Pace>,
}

impl<W: Default> Default for Scenario<W> {
    fn default() -> Self {
        Self {
            work: W::default(),
            events: 200_000,
            flush_at: 100,
            in_flight: 8,
            queue: 10_000,
            gzip: false,
            destinations: 1,
            waiting: 0,
            delay: 0,
            rate: None,
            seconds: 0,
            clients: 1,
            calls: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ServerTask {
    pub(crate) events: u64,
    pub(crate) delay: u64,
    /// The key of an event's number.
    pub(crate) id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "W: Default + Deserialize<'de>"))]
pub(crate) struct ClientTask<W> {
    pub(crate) url: String,
    pub(crate) scenario: Scenario<W>,
}

/// Runs the scenario in two processes, and checks that every event arrived exactly once.
pub(crate) fn run<W: Work>(scenario: &Scenario<W>) -> Result<(ClientReport, ServerReport), Box<dyn Error>> {
    let (said, seen) = run_and_count(scenario)?;
    let expected = if scenario.work.is_sent() { scenario.events } else { 0 };
    if (seen.once, seen.again) != (expected, 0) {
        return Err(format!("{expected} events sent, {} arrived, {} more than once", seen.once, seen.again).into());
    }
    Ok((said, seen))
}

/// Runs the scenario in two processes.
pub(crate) fn run_and_count<W: Work>(scenario: &Scenario<W>) -> Result<(ClientReport, ServerReport), Box<dyn Error>> {
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
    // The server waits for the end of its input.
    drop(server.stdin.take());
    let seen = serde_json::from_str(&said.next().ok_or("the server did not report")??)?;
    server.wait()?;
    Ok((serde_json::from_slice(&client.stdout)?, seen))
}

fn spawn(role: &str, task: &str) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    Ok(command.env(role, task).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}
