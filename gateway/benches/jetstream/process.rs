//! A gateway or a worker in a process of its own, whose CPU can be told from that of the load.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ROLE: &str = "TRACKLANE_JETSTREAM_BENCH_ROLE";
const CONFIG: &str = "TRACKLANE_JETSTREAM_BENCH_CONFIG";

pub(crate) struct Process {
    child: Child,
    ready: String,
}

impl Process {
    pub(crate) fn start(role: &str, config: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, role)
            .env(CONFIG, config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.unwrap().strip_prefix("ready ").map(str::to_owned));
        Self { child, ready: ready.expect("it starts") }
    }

    /// What this process is to be, and the configuration.
    pub(crate) fn role() -> Option<(String, String)> {
        Some((std::env::var(ROLE).ok()?, std::env::var(CONFIG).ok()?))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.ready.parse().unwrap()
    }

    /// Seconds of CPU that it has used.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of CPU of a process, by its number or `self`; 0 where that cannot be asked.
pub(crate) fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

pub(crate) fn ready(text: &str) {
    println!("ready {text}");
    std::io::stdout().flush().unwrap();
}
