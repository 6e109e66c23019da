//! Gateway, worker and NATS are killed at random points, and the oracle accounts for every id.
//!
//! The children are this very test binary. `TRACKLANE_JETSTREAM_KILLS` sets how often one of them is killed; a long run
//! is `TRACKLANE_JETSTREAM_KILLS=5000 cargo test --release -p tracklane-gateway --test it jetstream_kill`. In the same way
//! `TRACKLANE_NODE_KILLS` is for the nodes of a cluster.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::consumer::{AckPolicy, PriorityPolicy};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracklane::plugin::{Batch, Destination};
use tracklane::testing::TrackingApi;
use tracklane_gateway::{Catalog, Gateway, Worker};

use crate::nats::{Cluster, LOG, Nats};
use crate::oracle::{Address, Clients, UNDER_WAY_OF_BACKLOG, account};
use crate::process::waiting;
use crate::support::{SERVER, flaky_api, send, wait_until};

const KILLS: u32 = 60;
const CONFIG: &str = "TRACKLANE_JETSTREAM_CHILD_CONFIG";

/// `log` makes `[log.jetstream]` of the lines that are the same for all tests.
fn write_config(log: impl Fn(&str) -> String, directory: &Path, api: &TrackingApi) {
    let text = format!(
        "{SERVER}{}[sources.app]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"segment\"\n\
         settings = {{ write_key = \"k\", host = {:?}, flush_at = 20 }}\n",
        log(&format!("directory = {:?}\nkeep = \"0s\"", directory.join("log"))),
        api.url(),
    );
    std::fs::write(directory.join("gateway.toml"), text).unwrap();
}

/// As `wait_until`, for all that has gathered while workers were killed more often than they could deliver.
fn wait_long(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !condition() {
        assert!(Instant::now() < deadline, "not within three minutes: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Consumers as workers make them, but for shorter times, so that a worker that was killed is soon replaced.
fn impatient_consumers(nats: &Nats, runtime: &Runtime) {
    let context = nats.context(runtime);
    for partition in 0..4 {
        let stream = runtime.block_on(context.get_stream(format!("{LOG}-{partition:02}"))).unwrap();
        let config = Pull {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            // Longer than from one sign of life to the next.
            ack_wait: Duration::from_secs(4),
            max_ack_pending: 64,
            priority_policy: PriorityPolicy::PinnedClient,
            priority_groups: vec!["workers".to_owned()],
            priority_timeout: Duration::from_secs(2),
            ..Pull::default()
        };
        runtime.block_on(stream.create_consumer(config)).unwrap();
    }
}

/// Messages that are not acknowledged; `None` while NATS does not answer.
fn unacknowledged(nats: &Nats, runtime: &Runtime) -> Option<u64> {
    runtime.block_on(async {
        let client = async_nats::connect(nats.url()).await.ok()?;
        let context = async_nats::jetstream::new(client);
        let mut waiting = 0;
        for partition in 0..4 {
            let stream = context.get_stream(format!("{LOG}-{partition:02}")).await.ok()?;
            let consumer = stream.get_consumer::<Pull>("workers").await.ok()?;
            let info = consumer.cached_info();
            waiting += info.num_pending + info.num_ack_pending as u64;
        }
        Some(waiting)
    })
}

#[test]
fn kills_of_gateway_worker_and_nats_lose_nothing_acknowledged_and_keep_order() {
    let Some(nats) = Nats::start() else { return };
    let long = std::env::var("TRACKLANE_JETSTREAM_KILLS").ok().map(|kills| kills.parse().unwrap());
    let kills = long.unwrap_or(KILLS);
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let api = flaky_api(&flaky);
    write_config(|lines| nats.log(lines), directory.path(), &api);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(Gateway::create_streams(directory.path().join("gateway.toml"), &Catalog::stock())).unwrap();
    impatient_consumers(&nats, &runtime);
    let address = Address::default();
    let clients = Clients::start(4, &address);
    let mut gateway = Process::start(directory.path(), "gateway");
    address.set(gateway.address);
    let mut worker = Process::start(directory.path(), "worker");
    for _ in 0..kills {
        match fastrand::u32(..5) {
            0 | 1 => {
                thread::sleep(Duration::from_millis(fastrand::u64(..200)));
                gateway.kill();
                address.set(None);
                gateway = Process::start(directory.path(), "gateway");
                address.set(gateway.address);
            }
            2 => {
                thread::sleep(Duration::from_millis(fastrand::u64(..10_000)));
                worker.kill();
                worker = Process::start(directory.path(), "worker");
            }
            3 => {
                thread::sleep(Duration::from_millis(fastrand::u64(..500)));
                nats.kill();
                thread::sleep(Duration::from_millis(fastrand::u64(..500)));
                nats.start_again();
            }
            _ => {
                let frozen = if fastrand::bool() { &gateway } else { &worker };
                frozen.signal(Signal::SIGSTOP);
                thread::sleep(Duration::from_millis(fastrand::u64(..300)));
                frozen.signal(Signal::SIGCONT);
            }
        }
    }
    flaky.store(false, Ordering::Release);
    let noted = clients.end();
    let begun = Instant::now();
    wait_long("nothing waits on the disk", || waiting(directory.path()) == 0);
    wait_long("all is acknowledged", || unacknowledged(&nats, &runtime) == Some(0));
    gateway.terminate();
    worker.terminate();
    let report = account(&noted, &api.events());
    println!("{kills} kills: {report:?}, {:?}; drained in {:?}", noted.statuses, begun.elapsed());
    assert!(noted.statuses.keys().all(|status| *status == 200), "{:?}", noted.statuses);
    report.check_repeated_by_one_of(kills, UNDER_WAY_OF_BACKLOG, long.is_some());
    assert!(report.acknowledged as u32 > kills, "too few were acknowledged to mean anything: {report:?}");
}

#[test]
fn graceful_stops_of_gateway_and_worker_under_load_answer_with_200_or_503_and_repeat_nothing() {
    let Some(nats) = Nats::start() else { return };
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let api = flaky_api(&flaky);
    write_config(|lines| nats.log(lines), directory.path(), &api);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(Gateway::create_streams(directory.path().join("gateway.toml"), &Catalog::stock())).unwrap();
    let address = Address::default();
    let clients = Clients::start(8, &address);
    let mut worker = Process::start(directory.path(), "worker");
    for _ in 0..4 {
        let mut gateway = Process::start(directory.path(), "gateway");
        address.set(gateway.address);
        thread::sleep(Duration::from_millis(300));
        worker.terminate();
        worker = Process::start(directory.path(), "worker");
        gateway.terminate();
        address.set(None);
        assert_eq!(waiting(directory.path()), 0, "what was on the disk went into the log before the process ended");
    }
    let mut gateway = Process::start(directory.path(), "gateway");
    address.set(gateway.address);
    let noted = clients.end();
    gateway.terminate();
    wait_long("all is acknowledged", || unacknowledged(&nats, &runtime) == Some(0));
    worker.terminate();
    let report = account(&noted, &api.events());
    println!("{report:?}, {:?}", noted.statuses);
    assert!(noted.statuses.keys().all(|status| matches!(status, 200 | 503)), "{:?}", noted.statuses);
    assert_eq!(report.duplicates, 0, "a graceful stop repeats nothing");
}

#[test]
fn kills_of_the_nodes_of_a_cluster_lose_nothing_and_clients_see_only_200() {
    let Some(cluster) = Cluster::start() else { return };
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let api = flaky_api(&flaky);
    write_config(|lines| cluster.log(lines), directory.path(), &api);
    let runtime = Runtime::new().unwrap();
    let path = directory.path().join("gateway.toml");
    wait_until("the cluster has a leader", || {
        runtime.block_on(Gateway::create_streams(&path, &Catalog::stock())).is_ok()
    });
    let address = Address::default();
    let mut gateway = Process::start(directory.path(), "gateway");
    let mut worker = Process::start(directory.path(), "worker");
    address.set(gateway.address);
    let clients = Clients::start(4, &address);
    let kills = std::env::var("TRACKLANE_NODE_KILLS").map_or(6, |kills| kills.parse().unwrap());
    for round in 0..kills {
        let node = &cluster.nodes[round % 3];
        thread::sleep(Duration::from_millis(fastrand::u64(500..2_000)));
        // Each is killed once, so that a kill is noticed.
        if round < cluster.nodes.len() || fastrand::bool() {
            node.kill();
            thread::sleep(Duration::from_millis(fastrand::u64(..2_000)));
            node.start_again();
        } else {
            node.signal(Signal::SIGSTOP);
            thread::sleep(Duration::from_millis(fastrand::u64(..4_000)));
            node.signal(Signal::SIGCONT);
        }
    }
    let noted = clients.end();
    wait_long("nothing waits on the disk", || waiting(directory.path()) == 0);
    wait_long("all is acknowledged", || unacknowledged(&cluster.nodes[0], &runtime) == Some(0));
    gateway.terminate();
    worker.terminate();
    let report = account(&noted, &api.events());
    println!("{kills} kills or freezes of a node: {report:?}, {:?}", noted.statuses);
    let log = std::fs::read_to_string(log_of(directory.path(), "gateway")).unwrap();
    let alarms: Vec<&str> = log.lines().filter(|line| line.contains("the stream was deleted")).collect();
    assert!(alarms.is_empty(), "no stream was: {alarms:#?}");
    assert!(log.contains("takes nothing"), "no kill was noticed: {log}");
    assert!(noted.statuses.keys().all(|status| *status == 200), "{:?}", noted.statuses);
}

#[test]
fn a_message_that_kills_workers_is_found_and_set_aside_and_the_others_go_on() {
    let Some(nats) = Nats::start() else { return };
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let api = flaky_api(&flaky);
    write_config(|lines| nats.log(lines), directory.path(), &api);
    let path = directory.path().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[[pipelines.main.destinations]]\nplugin = \"deadly\"\n")).unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(Gateway::create_streams(&path, &deadly())).unwrap();
    impatient_consumers(&nats, &runtime);
    let gateway = Process::start(directory.path(), "gateway");
    // Those of other users are in other partitions, too, and hardly a worker lives for as long as their destination takes.
    let slow: Vec<String> = (0..4).map(|number| format!("slow-{number}")).collect();
    let of_other_users = slow.iter().map(|id| (id.as_str(), id.as_str()));
    for (user, id) in of_other_users.chain(["a", "b", "deadly", "c", "d"].map(|id| ("u", id))) {
        let event = format!(r#"{{"type":"track","event":"{id}","userId":"{user}","messageId":"{id}"}}"#);
        let body = format!(r#"{{"writeKey":"K","batch":[{event}]}}"#);
        assert_eq!(send(gateway.address.unwrap(), "POST /v1/batch", "", body.as_bytes()).status, 200);
    }
    let mut workers = 0;
    let deadline = Instant::now() + Duration::from_secs(240);
    let mut worker = Process::start(directory.path(), "worker");
    while unacknowledged(&nats, &runtime) != Some(0) {
        assert!(Instant::now() < deadline, "after {workers} workers");
        if worker.child.try_wait().unwrap().is_some() {
            workers += 1;
            worker = Process::start(directory.path(), "worker");
        }
        thread::sleep(Duration::from_millis(100));
    }
    println!("{workers} workers died of it");
    assert!((4..=12).contains(&workers), "{workers} workers died of it");
    let mut seen = std::collections::HashSet::new();
    let ids = api.events().into_iter().map(|event| event["messageId"].as_str().unwrap().to_owned());
    let arrived: Vec<String> = ids.filter(|id| seen.insert(id.clone())).collect();
    let (mut late, others): (Vec<_>, Vec<_>) =
        arrived.iter().filter(|id| *id != "deadly").partition(|id| id.starts_with("slow"));
    assert_eq!(others, ["a", "b", "c", "d"]);
    late.sort_by_key(|id| slow.iter().position(|slow| slow == *id));
    assert_eq!(late, slow.iter().collect::<Vec<_>>());
    let context = nats.context(&runtime);
    let stream = runtime.block_on(context.get_stream(format!("{LOG}-dead"))).unwrap();
    let state = &stream.cached_info().state;
    assert!((1..=2).contains(&state.messages), "for one destination or both: {}", state.messages);
    for sequence in state.first_sequence..=state.last_sequence {
        let letter = runtime.block_on(stream.direct_get(sequence)).unwrap();
        let letter: serde_json::Value = serde_json::from_slice(&letter.payload).unwrap();
        assert_eq!((&letter["reason"], &letter["event"]["messageId"]), (&"crashed".into(), &"deadly".into()));
    }
}

/// With a destination that ends the process when it gets an event of its name, and takes its time for slow ones.
fn deadly() -> Catalog {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    Catalog::stock().destination("deadly", |_: Nothing| {
        Ok::<_, tracklane::BoxError>(Destination::from_fn("deadly", |batch: Batch| async move {
            if batch.messages().any(|message| message.message_id() == "deadly") {
                std::process::abort();
            }
            if batch.messages().any(|message| message.message_id().starts_with("slow")) {
                tokio::time::sleep(Duration::from_secs(8)).await;
            }
            Ok::<(), tracklane::BoxError>(())
        }))
    })
}

/// A gateway or a worker in a process of its own.
struct Process {
    child: Child,
    address: Option<SocketAddr>,
    /// Open until it ends, or what it prints last would fail.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Started again if it ends at once, as a worker does while NATS is away.
    fn start(directory: &Path, role: &str) -> Self {
        for _ in 0..100 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", &format!("jetstream_kill::{role}_child"), "--ignored", "--nocapture"])
                .args(["--test-threads", "1"])
                .env(CONFIG, directory.join("gateway.toml"))
                .stdout(Stdio::piped())
                .stderr(OpenOptions::new().create(true).append(true).open(log_of(directory, role)).unwrap())
                .spawn()
                .unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let ready = output.by_ref().lines().find_map(|line| line.ok()?.strip_prefix("ready ").map(str::to_owned));
            if let Some(ready) = ready {
                return Self { child, address: ready.parse().ok(), _output: output };
            }
            child.wait().unwrap();
        }
        panic!("the {role} does not start");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(&mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where what it logs is.
fn log_of(directory: &Path, role: &str) -> PathBuf {
    directory.join(format!("{role}.log"))
}

fn say(ready: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("\nready {ready}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[test]
#[ignore = "the child process of other tests, which start it"]
fn gateway_child() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    Runtime::new().unwrap().block_on(async {
        let gateway = Gateway::start(config, deadly()).await.unwrap();
        say(&gateway.addresses()[0].to_string());
        gateway.run_until_signalled().await;
    });
}

#[test]
#[ignore = "the child process of other tests, which start it"]
fn worker_child() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    Runtime::new().unwrap().block_on(async {
        let worker = Worker::start(config, deadly()).await.unwrap();
        say("worker");
        worker.run_until_signalled().await;
    });
}
