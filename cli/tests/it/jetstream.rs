//! Gateways and workers around the log in JetStream, as an operator uses them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracklane::testing::{Reply, TrackingApi};

use crate::support::{Folder, run, stdout, tracklane};

const BOUND: Duration = Duration::from_secs(180);

/// The NATS server that is installed, if one is.
fn nats_server() -> Option<PathBuf> {
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join("nats-server")).find(|file| Path::is_file(file))
    });
    if found.is_none() {
        let required = std::env::var("TRACKLANE_NATS").is_ok_and(|value| value == "required");
        assert!(!required, "no NATS server is installed, and TRACKLANE_NATS says that it is required");
        println!("skipped: no nats-server is in PATH or named by NATS_SERVER (.ci/nats installs one)");
    }
    found
}

/// A process that ends with the test.
struct Process(Child);

impl Process {
    /// With its address, and that of its monitoring.
    fn nats(binary: &Path, store: &str) -> (Self, String, String) {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, monitor) = (free(), free());
        let [port, monitor_port] = [address, monitor].map(|address| address.port().to_string());
        let child = Command::new(binary)
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port, "--store_dir", store])
            .args(["--http_port", &monitor_port, "--server_name", "n1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self(child);
        wait_until("NATS listens", || TcpStream::connect(address).is_ok());
        (started, format!("nats://{address}"), format!("http://{monitor}"))
    }

    /// A command of the tool that says by a line of JSON that it is ready.
    fn ready(arguments: &[&str]) -> (Self, Value) {
        let mut command = tracklane();
        let mut child =
            command.args(arguments).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(child), serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {BOUND:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The answer to an event with this id.
fn post(address: &str, id: &str) -> Option<String> {
    let body = format!(r#"{{"writeKey":"MY_KEY","type":"track","event":"{id}","userId":"u","messageId":"{id}"}}"#);
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let head = format!("POST /v1/track HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn is_taken(address: &str, id: &str) -> bool {
    post(address, id).is_some_and(|answer| answer.contains("{\"success\":true}"))
}

/// A configuration with the log at this server, and with a destination at this host.
fn config(folder: &Folder, nats: &str, host: &str) -> String {
    let log = folder.path("log");
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n[worker]\nadmin = \"127.0.0.1:0\"\n\
         [log.jetstream]\nservers = [{nats:?}]\nreplicas = 1\npartitions = 2\nmax_bytes = \"64MB\"\ndirectory = {log:?}\n\
         [sources.web]\nkeys = [\"MY_KEY\"]\npipeline = \"main\"\n[[pipelines.main.destinations]]\nplugin = \"segment\"\n\
         settings = {{ write_key = \"k\", host = {host:?}, flush_at = 1 }}\n",
    );
    folder.write("gateway.toml", &text)
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    stdout(&run(arguments)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_in_the_log_is_shown_refused_sent_again_and_replayed() {
    let Some(binary) = nats_server() else { return };
    let (folder, api) = (Folder::new("jetstream"), TrackingApi::start().unwrap());
    api.reply_with(|request| match request.events().iter().any(|event| event["messageId"] == "bad") {
        true => Reply::status(400),
        false => Reply::as_segment(),
    });
    let (_nats, url, _) = Process::nats(&binary, &folder.path("nats"));
    let config = config(&folder, &url, &api.url());
    let made = lines(&["gateway", "--create-streams", "--json", "--config", &config]);
    assert_eq!(made[0]["created"].as_array().unwrap().len(), 4, "two partitions, the dead and the parked: {made:?}");
    let again = lines(&["gateway", "--create-streams", "--json", "--config", &config]);
    assert_eq!(again[0]["found"].as_array().unwrap().len(), 4, "{again:?}");
    let checks = lines(&["doctor", "--json", "--gateway", &config]);
    let log = checks.iter().find(|check| check["id"] == "gateway-log").unwrap_or_else(|| panic!("{checks:?}"));
    let message = log["message"].as_str().unwrap();
    assert!(message.starts_with("a 200 means that 1 NATS servers (version 2."), "{message}");
    let (_gateway, ready) = Process::ready(&["gateway", "--config", &config]);
    let address = ready["addresses"][0].as_str().unwrap().to_owned();
    assert!(is_taken(&address, "good"));
    let waiting = || -> u64 {
        let lag = lines(&["lag", "--json", "--config", &config]);
        lag.iter().filter(|line| line["unit"] == "messages").map(|line| line["waiting"].as_u64().unwrap()).sum()
    };
    assert_eq!(waiting(), 1);
    let (_worker, _) = Process::ready(&["worker", "--config", &config]);
    wait_until("the first arrived", || api.events().len() == 1);
    assert!(is_taken(&address, "bad"));
    let dead = |arguments: &[&str]| lines(&[&["dead"], arguments, &["--json", "--config", &config]].concat());
    wait_until("it is dead", || dead(&["list"]).len() == 1);
    let listed = &dead(&["list"])[0];
    assert_eq!((&listed["where"], &listed["messageId"]), (&"main/Segment.io".into(), &"bad".into()));
    assert!(listed["error"].as_str().unwrap().contains("400"), "{listed}");
    assert_eq!(dead(&["show", "bad"])[0]["event"]["userId"], "u");
    wait_until("nothing waits", || waiting() == 0);

    api.reply_with(|_| Reply::as_segment());
    assert_eq!(run(&["dead", "replay", "bad", "--config", &config]).status.code(), Some(0));
    wait_until("it arrived", || api.events().iter().any(|event| event["messageId"] == "bad"));
    assert_eq!(dead(&["list"]), Vec::<Value>::new());

    let before = api.events().len();
    let replayed = lines(&["replay", "--from", "2020-01-01T00:00:00Z", "--json", "--config", &config]);
    assert_eq!(replayed[0]["messages"], 3, "the two events, and the one that was dead");
    wait_until("they arrived again", || api.events().len() == before + 3);
    let none = run(&["replay", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z", "--config", &config]);
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(lines(&["park", "list", "--json", "--config", &config]), Vec::<Value>::new());
}

#[test]
fn what_is_parked_is_listed_and_released_in_its_order_and_what_is_dead_is_dropped() {
    let Some(binary) = nats_server() else { return };
    let (folder, api) = (Folder::new("jetstream-park"), TrackingApi::start().unwrap());
    // It asks for a longer pause than events wait in front of it.
    api.reply_with(|_| Reply::status(429).header("retry-after", "300"));
    let (_nats, url, _) = Process::nats(&binary, &folder.path("nats"));
    let config = config(&folder, &url, &api.url());
    assert_eq!(run(&["gateway", "--create-streams", "--config", &config]).status.code(), Some(0));
    let (_gateway, ready) = Process::ready(&["gateway", "--config", &config]);
    let (_worker, _) = Process::ready(&["worker", "--config", &config]);
    let address = ready["addresses"][0].as_str().unwrap().to_owned();
    let park = |arguments: &[&str]| lines(&[&["park"], arguments, &["--json", "--config", &config]].concat());
    let ids = ["first", "second", "bad", "third"];
    for id in ids {
        assert!(is_taken(&address, id));
    }
    let parked = || park(&["list"]).first().map_or(0, |line| line["messages"].as_u64().unwrap());
    wait_until("they are parked", || parked() == 4);
    assert_eq!(park(&["list"])[0]["where"], "main/Segment.io");
    wait_until("the destination has asked for a pause", || api.request_count() >= 2);

    api.reply_with(|request| match request.events().iter().any(|event| event["messageId"] == "bad") {
        true => Reply::status(400),
        false => Reply::as_segment(),
    });
    let other = run(&["park", "release", "main/other", "--config", &config]);
    assert_eq!(other.status.code(), Some(1), "nothing is parked of it");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(api.delivered_ids(), Vec::<String>::new(), "the pause is kept");
    let released = park(&["release", "main/Segment.io"]);
    assert_eq!((&released[0]["where"], &released[0]["messages"]), (&"main/Segment.io".into(), &4.into()));
    wait_until("nothing is parked", || park(&["list"]).is_empty());
    assert_eq!(api.delivered_ids(), ["first", "second", "third"]);
    assert_eq!(park(&["release", "--all"]), Vec::<Value>::new());

    let dead = || lines(&["dead", "list", "--json", "--config", &config]);
    assert_eq!(dead().len(), 1);
    assert_eq!(run(&["dead", "drop", "other", "--config", &config]).status.code(), Some(1));
    assert_eq!(run(&["dead", "drop", "bad", "--config", &config]).status.code(), Some(0));
    assert_eq!(dead(), Vec::<Value>::new());
}

#[test]
fn doctor_asks_servers_when_they_sync_and_says_what_a_200_means() {
    let Some(binary) = nats_server() else { return };
    let (folder, api) = (Folder::new("jetstream-doctor"), TrackingApi::start().unwrap());
    let (_nats, url, monitor) = Process::nats(&binary, &folder.path("nats"));
    let config = config(&folder, &url, &api.url());
    assert_eq!(run(&["gateway", "--create-streams", "--config", &config]).status.code(), Some(0));
    let power = |arguments: &[&str]| {
        let checks = lines(&[&["doctor", "--json", "--host", &api.url(), "--gateway", &config], arguments].concat());
        let found = checks.into_iter().find(|check| check["id"] == "gateway-log-power").unwrap();
        (found["state"].as_str().unwrap().to_owned(), found["message"].as_str().unwrap().to_owned())
    };
    let (state, message) = power(&[]);
    assert_eq!(state, "note");
    assert!(message.starts_with("NATS does not tell its clients when it syncs its files."), "{message}");
    let (state, message) = power(&["--nats-monitor", &monitor]);
    assert_eq!(state, "note");
    assert_eq!(
        message,
        "the NATS server n1 syncs its files every 120 s: a loss of power of its machine can lose the events of the last 120 s"
    );
    let (state, message) = power(&["--nats-monitor", &api.url()]);
    assert_eq!(state, "wrong", "{message}");
}

#[test]
fn three_nodes_on_one_machine_deliver_what_two_gateways_take_also_when_a_node_is_killed() {
    let Some(binary) = nats_server() else { return };
    let folder = Folder::new("three-nodes");
    // The script takes ports in a row. These are below those that the system gives to connections.
    let port = 20_000 + 40 * fastrand::u16(..300);
    let nats_port = port + 30;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/three-nodes.sh");
    let mut child = Command::new(script)
        .arg(folder.path("cluster"))
        .envs([("NATS_SERVER", binary.as_os_str()), ("TRACKLANE", env!("CARGO_BIN_EXE_tracklane").as_ref())])
        .envs([("PORT", port.to_string()), ("NATS_PORT", nats_port.to_string())])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let script = Script(child);
    let mut next_line = || {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "the script ended");
        line
    };
    let mut node = None;
    loop {
        let line = next_line();
        node = line.strip_prefix("NATS node 1: process ").map(|process| process.trim().to_owned()).or(node);
        if line.starts_with("worker 1:") {
            break;
        }
    }
    let gateways = [format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", port + 1)];
    for (gateway, id) in gateways.iter().zip(["event-a", "event-b"]) {
        wait_until("the gateway takes events", || is_taken(gateway, id));
    }
    let mut seen = Vec::new();
    let mut wait_for = |ids: &[&str], next_line: &mut dyn FnMut() -> String| {
        while !ids.iter().all(|id| seen.iter().any(|line: &String| line.contains(id))) {
            seen.push(next_line());
        }
    };
    wait_for(&["event-a", "event-b"], &mut next_line);
    assert!(Command::new("kill").args(["-9", &node.unwrap()]).status().unwrap().success());
    for (gateway, id) in gateways.iter().zip(["event-c", "event-d"]) {
        assert!(is_taken(gateway, id), "a node that is gone changes no answer");
    }
    wait_for(&["event-c", "event-d"], &mut next_line);
    drop(script);
}

/// The script, which ends its children when it is told to end.
struct Script(Child);

impl Drop for Script {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
