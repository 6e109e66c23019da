//! A running `tracklane dev`, the binary's other commands, and a client that says every byte itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The binary, without the settings of whoever runs the tests.
pub(crate) fn tracklane() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracklane"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRACKLANE") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    tracklane().args(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder of its own, deleted at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tracklane-cli-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server on a free port.
pub(crate) struct Dev {
    child: Child,
    pub(crate) url: String,
}

impl Dev {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = tracklane();
        command.args(["dev", "--port", "0", "--json"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
        assert_eq!(ready["ready"], true);
        Self { child, url: ready["url"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    /// All of the answer.
    pub(crate) fn send(&self, line: &str, headers: &str, body: &str) -> String {
        let mut stream = self.connect();
        let (host, length) = (self.address(), body.len());
        let host = if headers.to_lowercase().contains("host:") { String::new() } else { format!("host: {host}\r\n") };
        let head =
            format!("{line} HTTP/1.1\r\n{host}connection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The status and the JSON of a request to the API.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let answer = self.send(&format!("{method} /__tracklane/{path}"), "", body);
        (status(&answer), serde_json::from_str(content(&answer)).unwrap_or(Value::Null))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, json) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    /// Sends a call to the tracking API, and says how it was answered.
    pub(crate) fn post(&self, path: &str, body: &str) -> u16 {
        status(&self.send(&format!("POST {path}"), "", body))
    }

    pub(crate) fn track(&self, name: &str, more: &str) {
        let more = if more.is_empty() { String::new() } else { format!(",{more}") };
        assert_eq!(self.post("/v1/track", &format!(r#"{{"event":"{name}","userId":"u"{more}}}"#)), 200);
    }

    pub(crate) fn received(&self) -> u64 {
        self.get("events?limit=0")["counters"]["received"].as_u64().unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// The body of an answer. Pieces of a chunked one are put together.
pub(crate) fn content(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// Waits for a condition.
pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < SOON, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
