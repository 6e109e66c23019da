//! The shared parts of the benchmarks over loopback HTTP: a server process, a client process, and their reports.
//!
//! Invariant: the client's CPU time and memory are measured alone. The server checks off each event by its number, so
//! it finds missing and repeated events. Each benchmark says by a type what its clients can do: see
//! [`Work`](scenario::Work).
#![allow(dead_code, reason = "no benchmark uses all of it")]

pub(crate) mod bare_queue;
pub(crate) mod client;
pub(crate) mod limits;
pub(crate) mod meter;
pub(crate) mod pace;
pub(crate) mod quiet;
pub(crate) mod report;
pub(crate) mod rounds;
pub(crate) mod scenario;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod timing;

use std::env;
use std::error::Error;

use scenario::{CLIENT, ClientTask, SERVER, Work};

/// Runs the server or the client if a benchmark started this process for it. Returns whether it did.
pub(crate) fn ran_as_part<W: Work>() -> Result<bool, Box<dyn Error>> {
    if let Ok(task) = env::var(SERVER) {
        server::run(&serde_json::from_str(&task)?)?;
        return Ok(true);
    }
    let Ok(task) = env::var(CLIENT) else {
        return Ok(false);
    };
    let ClientTask::<W> { url, scenario } = serde_json::from_str(&task)?;
    println!("{}", serde_json::to_string(&scenario.work.run(&url, &scenario)?)?);
    Ok(true)
}

/// The program's arguments: `--quick`, and the parts to run.
pub(crate) struct Wanted {
    pub(crate) quick: bool,
    names: Vec<String>,
}

impl Wanted {
    pub(crate) fn from_arguments() -> Self {
        let arguments = env::args().skip(1).filter(|argument| argument != "--bench");
        let (switches, names): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with("--"));
        Self { quick: switches.iter().any(|switch| switch == "--quick"), names }
    }

    /// Returns whether to run this part: an argument is in its name, or there are no arguments.
    pub(crate) fn contains(&self, part: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| part.contains(name.as_str()))
    }
}
