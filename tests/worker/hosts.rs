//! The JavaScript runtimes that the Worker runs in: Node, and Cloudflare's `workerd` if the variable `WORKERD` has its path.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tracklane::testing::TrackingApi;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/worker");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Node,
    Workerd,
}

impl Host {
    /// Those that are here.
    pub(crate) fn all() -> Vec<Host> {
        let workerd = std::env::var_os("WORKERD").map(|_| Host::Workerd);
        if workerd.is_none() {
            eprintln!("skipped in Cloudflare's runtime: WORKERD does not say where workerd is");
        }
        [Host::Node].into_iter().chain(workerd).collect()
    }

    /// Runs the steps against `api`. Returns the line of each.
    #[track_caller]
    pub(crate) fn run(self, api: &TrackingApi, steps: &[&str]) -> Vec<String> {
        let lines = match self {
            Host::Node => node(api, steps),
            Host::Workerd => {
                let body = serde_json::to_string(steps).expect("text");
                let head = format!("POST / HTTP/1.1\r\nhost: trial\r\ncontent-length: {}\r\n", body.len());
                Workerd::start(api).ask("trial", &head, &body)
            }
        };
        let lines: Vec<String> = serde_json::from_str(&lines).unwrap_or_else(|_| panic!("{self:?}: {lines}"));
        assert_eq!(lines.len(), steps.len(), "{self:?}, a line for each step: {lines:?}");
        lines
    }
}

#[track_caller]
fn node(api: &TrackingApi, steps: &[&str]) -> String {
    let script = format!("{EXAMPLE}/trial.mjs");
    let out = Command::new("node").arg(script).arg(api.url()).args(steps).output().expect("Node is installed");
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}\n{complained}");
    said.into_owned()
}

/// Cloudflare's runtime, with the Worker as it is deployed and the one that runs steps. Ends when this is dropped.
pub(crate) struct Workerd {
    process: Child,
    /// The ports of its sockets, by their names.
    ports: Vec<(String, u16)>,
}

impl Workerd {
    pub(crate) fn start(api: &TrackingApi) -> Self {
        let workerd = std::env::var_os("WORKERD").expect("Host::all has looked");
        let mut command = Command::new(workerd);
        command.args(["serve", "--control-fd=1"]).arg(format!("{EXAMPLE}/workerd.capnp"));
        command.env("WRITE_KEY", "WRITE_KEY").env("ANALYTICS_HOST", api.url()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("workerd starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let ports = lines.take(2).map(|line| {
            let told: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("an event as JSON");
            let port = told["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
            (told["socket"].as_str().expect("a name").to_owned(), port)
        });
        let ports = ports.collect();
        Self { process, ports }
    }

    /// Sends a request to that socket. Returns the body of the response, which must be a 200.
    #[track_caller]
    pub(crate) fn ask(&self, socket: &str, head: &str, body: &str) -> String {
        let (_, port) = self.ports.iter().find(|(name, _)| name == socket).expect("it listens");
        let mut stream = TcpStream::connect(("127.0.0.1", *port)).expect("it accepts");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("not zero");
        write!(stream, "{head}connection: close\r\n\r\n{body}").expect("it reads");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("it answers");
        let (head, body) = response.split_once("\r\n\r\n").expect("a response");
        assert!(head.starts_with("HTTP/1.1 200"), "{response}");
        assert!(!head.to_lowercase().contains("chunked"), "{head}");
        body.to_owned()
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
