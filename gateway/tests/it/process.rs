//! A gateway and a destination in processes of their own, which can be killed and frozen: this very test binary, started
//! with [`child`] as its only test.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane_gateway::{Catalog, Gateway, Layout};
use tracklane_ingest::{Answer, Ingest, Request, Server};

/// The configuration of the gateway that the child is to be.
const CONFIG: &str = "TRACKLANE_GATEWAY_CHILD_CONFIG";
/// Where the destination that the child is to be notes what arrives.
const ARRIVED: &str = "TRACKLANE_GATEWAY_CHILD_ARRIVED";
/// Where it listens.
const ADDRESS: &str = "TRACKLANE_GATEWAY_CHILD_ADDRESS";

/// A child, and where it listens.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Open until it ends, or what it prints last would fail.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// The gateway of `gateway.toml` in this directory.
    pub(crate) fn gateway(directory: &Path) -> Self {
        Self::start(&[(CONFIG, directory.join("gateway.toml").to_str().unwrap())])
    }

    /// A destination that notes what arrives in a file, whatever becomes of itself.
    pub(crate) fn destination(arrived: &Path, address: SocketAddr) -> Self {
        Self::start(&[(ARRIVED, arrived.to_str().unwrap()), (ADDRESS, &address.to_string())])
    }

    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::child", "--ignored", "--nocapture", "--test-threads", "1"])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("listening ")?.parse().ok());
        Self { child, address: address.expect("the child says where it listens"), _output: output }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Nothing of it moves for so long.
    pub(crate) fn freeze(&self, time: Duration) {
        self.signal(Signal::SIGSTOP);
        std::thread::sleep(time);
        self.signal(Signal::SIGCONT);
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap()
    }

    /// Bytes that it has in memory (`VmRSS`), or had at most (`VmHWM`).
    pub(crate) fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        line.unwrap().trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

impl Drop for Process {
    /// Also when the test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Events that wait on the disk for any destination.
pub(crate) fn waiting(directory: &Path) -> u64 {
    let stores = Layout::of(directory.join("gateway.toml")).unwrap().stores().unwrap();
    stores.iter().map(|store| store.backlog().unwrap().files).sum()
}

/// What a [destination](Process::destination) has noted. What it was killed at was not acknowledged, and comes again.
pub(crate) fn noted(arrived: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(arrived).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
#[ignore = "the child process of other tests, which start it"]
fn child() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(config) = std::env::var(CONFIG) {
        runtime.block_on(gateway(config));
    } else if let (Ok(arrived), Ok(address)) = (std::env::var(ARRIVED), std::env::var(ADDRESS)) {
        runtime.block_on(destination(&arrived, address.parse().unwrap()));
    }
}

async fn gateway(config: String) {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    // It takes everything, so that what the gateway itself takes can be measured.
    let catalog = Catalog::stock().destination("nowhere", |_: Nothing| {
        let nowhere = Destination::from_fn("nowhere", |_: Batch| async { Ok::<(), std::io::Error>(()) });
        Ok::<_, std::io::Error>(nowhere.batching(Batching::every(1_000, Duration::from_millis(50))))
    });
    let gateway = Gateway::start(config, catalog).await.unwrap();
    listening(gateway.addresses()[0]);
    gateway.run_until_signalled().await;
}

async fn destination(arrived: &str, address: SocketAddr) {
    let mut file = OpenOptions::new().create(true).append(true).open(arrived).unwrap();
    // Behind what another one was killed at.
    file.write_all(b"\n").unwrap();
    let file = Arc::new(Mutex::new(file));
    let service = tower::service_fn(move |request: Request| {
        note(&mut file.lock().unwrap(), &request);
        std::future::ready(Ok::<_, std::convert::Infallible>(Answer::accepted()))
    });
    let server = Server::bind([address]).await.unwrap();
    listening(server.addresses()[0]);
    server.serve(Ingest::new(service).router(), std::future::pending()).await;
}

fn note(file: &mut File, request: &Request) {
    let lines: Vec<u8> = request.events.iter().flat_map(|event| [&event.raw[..], b"\n"].concat()).collect();
    file.write_all(&lines).unwrap();
}

fn listening(address: SocketAddr) {
    let mut out = std::io::stdout();
    out.write_all(format!("\nlistening {address}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
