//! A NATS server with JetStream, as a process of the test's own: found by `NATS_SERVER` or in `PATH`.
//!
//! Without one a test ends early and says so; where `TRACKLANE_NATS=required`, as in `.ci/run`, it fails.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use async_nats::jetstream::stream::Info;
use async_nats::jetstream::{self, Context};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Running, Sink, plain, wait_until};

/// Names of the streams of the configurations below.
pub(crate) const LOG: &str = "log";

/// A server that keeps its port and its files over restarts.
pub(crate) struct Nats {
    binary: PathBuf,
    pub(crate) address: SocketAddr,
    store: TempDir,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Nats {
    /// `None` if there is none to be had.
    pub(crate) fn start() -> Option<Self> {
        let nats = Self::stopped()?;
        nats.start_again();
        Some(nats)
    }

    /// One that does not run yet.
    pub(crate) fn stopped() -> Option<Self> {
        let Some(binary) = binary() else {
            let required = std::env::var("TRACKLANE_NATS").is_ok_and(|value| value == "required");
            assert!(!required, "no NATS server is installed, and TRACKLANE_NATS says that it is required");
            println!("skipped: no nats-server is in PATH or named by NATS_SERVER (.ci/nats installs one)");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Some(Self { binary, address, store: TempDir::new().unwrap(), options: Vec::new(), child: Mutex::default() })
    }

    pub(crate) fn start_again(&self) {
        let port = self.address.port().to_string();
        let child = Command::new(&self.binary)
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port, "--store_dir"])
            .arg(self.store.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(child);
        wait_until("the server listens", || TcpStream::connect(self.address).is_ok());
    }

    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap().take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.lock().unwrap();
        kill(Pid::from_raw(child.as_ref().expect("it runs").id() as i32), signal).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// What JetStream is asked through, on this runtime.
    pub(crate) fn context(&self, runtime: &Runtime) -> Context {
        runtime.block_on(async { jetstream::new(async_nats::connect(self.url()).await.unwrap()) })
    }

    /// `[log.jetstream]` on this server, with a few partitions, and these lines behind it.
    pub(crate) fn log(&self, lines: &str) -> String {
        format!(
            "[worker]\nadmin = \"127.0.0.1:0\"\n[log.jetstream]\nservers = [{:?}]\nname = {LOG:?}\nreplicas = 1\npartitions = 4\nmax_bytes = \"64MiB\"\n{lines}\n",
            self.url()
        )
    }

    /// A gateway with this log, whose streams are there.
    pub(crate) fn gateway(&self, lines: &str) -> Running {
        self.gateway_in(TempDir::new().unwrap(), lines, true)
    }

    pub(crate) fn gateway_in(&self, directory: TempDir, lines: &str, create: bool) -> Running {
        self.gateway_with(directory, lines, &plain("", ""), create)
    }

    /// With this behind the log.
    pub(crate) fn gateway_with(&self, directory: TempDir, lines: &str, config: &str, create: bool) -> Running {
        let log = self.log(&format!("directory = {:?}\n{lines}", directory.path().join("log")));
        Running::start_with_log(directory, Sink::default(), &log, config, create)
    }
}

/// Three servers that keep each event on all three.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Nats>,
}

impl Cluster {
    pub(crate) fn start() -> Option<Self> {
        let mut nodes: Vec<Nats> = (0..3).map(|_| Nats::stopped()).collect::<Option<_>>()?;
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let routes: Vec<String> = nodes.iter().map(|_| format!("nats://{}", free())).collect();
        for (number, node) in nodes.iter_mut().enumerate() {
            let name = format!("node-{number}");
            let options = ["--server_name", &name, "--cluster_name", "c", "--cluster", &routes[number], "--routes"];
            node.options = options.map(str::to_owned).into_iter().chain([routes.join(",")]).collect();
        }
        nodes.iter().for_each(Nats::start_again);
        Some(Self { nodes })
    }

    pub(crate) fn log(&self, lines: &str) -> String {
        let servers: Vec<String> = self.nodes.iter().map(Nats::url).collect();
        format!(
            "[worker]\nadmin = \"127.0.0.1:0\"\n[log.jetstream]\nservers = {servers:?}\nname = {LOG:?}\nreplicas = 3\npartitions = 4\n\
             max_bytes = \"64MiB\"\n{lines}\n"
        )
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("NATS_SERVER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("nats-server")).find(|file| Path::is_file(file))
}

/// The lines of every message of the log, by stream, in their order; and how many messages there are.
pub(crate) async fn lines(context: &Context, partitions: u16) -> (Vec<String>, u64) {
    let (mut lines, mut messages) = (Vec::new(), 0);
    for partition in 0..partitions {
        let stream = context.get_stream(format!("{LOG}-{partition:02}")).await.unwrap();
        let Info { state, .. } = stream.cached_info();
        messages += state.messages;
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.direct_get(sequence).await else { continue };
            let text = String::from_utf8(message.payload.to_vec()).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    (lines, messages)
}

/// The messageIds in the log.
pub(crate) fn ids(context: &Context, runtime: &Runtime) -> Vec<String> {
    let (lines, _) = runtime.block_on(lines(context, 4));
    lines.iter().map(|line| id(line)).collect()
}

fn id(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    event["messageId"].as_str().unwrap().to_owned()
}
