//! The gateway is ended in every way, and the oracle accounts for every id.
//!
//! The child is this very test binary, started with [`child`] as its only test. `TRACKLANE_GATEWAY_KILLS` sets how often
//! it is killed; a long run is `TRACKLANE_GATEWAY_KILLS=5000 cargo test --release -p tracklane-gateway --test it kill`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tracklane::testing::{Reply, TrackingApi};
use tracklane_gateway::{Catalog, Gateway, Layout};

use crate::oracle::{Address, Clients, account};
use crate::support::wait_until;

const KILLS: u32 = 200;
const CONFIG: &str = "TRACKLANE_GATEWAY_CHILD_CONFIG";

/// A destination that fails four requests in ten while it is flaky.
fn flaky_api(flaky: &Arc<AtomicBool>) -> TrackingApi {
    let api = TrackingApi::start().unwrap();
    let is_flaky = Arc::clone(flaky);
    api.reply_with(move |_| match fastrand::u32(..10) {
        0..=2 if is_flaky.load(Ordering::Acquire) => Reply::status(503),
        3 if is_flaky.load(Ordering::Acquire) => Reply::reset(),
        _ => Reply::as_segment(),
    });
    api
}

fn write_config(directory: &Path, api: &TrackingApi) {
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         [log.disk]\ndirectory = {:?}\n\
         [sources.app]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"segment\"\n\
         settings = {{ write_key = \"k\", host = {:?}, flush_at = 20 }}\n",
        directory.join("log"),
        api.url(),
    );
    std::fs::write(directory.join("gateway.toml"), text).unwrap();
}

/// What waits, or was set aside.
fn waiting(directory: &Path) -> u64 {
    let stores = Layout::of(directory.join("gateway.toml")).unwrap().stores().unwrap();
    stores.iter().map(|store| store.backlog().unwrap().files).sum()
}

#[test]
fn kill_at_random_points_loses_nothing_acknowledged_and_keeps_order() {
    let kills = std::env::var("TRACKLANE_GATEWAY_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let api = flaky_api(&flaky);
    write_config(directory.path(), &api);
    let address = Address::default();
    let clients = Clients::start(4, &address);
    for run in 0..kills {
        let mut running = Process::start(directory.path());
        address.set(Some(running.address));
        thread::sleep(Duration::from_micros(fastrand::u64(..100_000)));
        if run % 4 == 0 {
            // A process that is frozen for a while, and then goes on or is killed.
            running.signal(Signal::SIGSTOP);
            thread::sleep(Duration::from_millis(fastrand::u64(..50)));
            running.signal(Signal::SIGCONT);
            thread::sleep(Duration::from_millis(fastrand::u64(..20)));
        }
        running.kill();
        address.set(None);
    }
    flaky.store(false, Ordering::Release);
    let last = Process::start(directory.path());
    address.set(Some(last.address));
    let noted = clients.end();
    wait_until("everything is sent", || waiting(directory.path()) == 0);
    assert!(last.terminate().success());
    let report = account(&noted, &api.events());
    println!("{kills} kills: {report:?}, {:?}", noted.statuses);
    assert!(noted.statuses.keys().all(|status| *status == 200), "{:?}", noted.statuses);
    assert!(report.arrived >= report.acknowledged);
    assert!(report.acknowledged as u32 > kills, "too few were acknowledged to mean anything: {report:?}");
}

#[test]
fn a_graceful_stop_under_load_answers_with_200_or_503_and_leaves_nothing() {
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let api = flaky_api(&flaky);
    write_config(directory.path(), &api);
    let address = Address::default();
    let clients = Clients::start(8, &address);
    for _ in 0..5 {
        let running = Process::start(directory.path());
        address.set(Some(running.address));
        thread::sleep(Duration::from_millis(300));
        assert!(running.terminate().success());
        address.set(None);
        assert_eq!(waiting(directory.path()), 0, "the destination took everything before the process ended");
    }
    let last = Process::start(directory.path());
    address.set(Some(last.address));
    let noted = clients.end();
    assert!(last.terminate().success());
    let report = account(&noted, &api.events());
    println!("{report:?}, {:?}", noted.statuses);
    assert!(noted.statuses.keys().all(|status| matches!(status, 200 | 503)), "{:?}", noted.statuses);
    assert_eq!(report.duplicates, 0, "a graceful stop repeats nothing");
}

/// A gateway in a process of its own.
struct Process {
    child: Child,
    address: SocketAddr,
    /// Open until it ends, or what it prints last would fail.
    _output: BufReader<ChildStdout>,
}

impl Process {
    fn start(directory: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture", "--test-threads", "1"])
            .env(CONFIG, directory.join("gateway.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("listening ")?.parse().ok());
        Self { child, address: address.expect("the child says where it listens"), _output: output }
    }

    fn signal(&mut self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap()
    }
}

#[test]
#[ignore = "the child process of other tests, which start it"]
fn child() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let gateway = Gateway::start(config, Catalog::stock()).await.unwrap();
        let mut out = std::io::stdout();
        out.write_all(format!("\nlistening {}\n", gateway.addresses()[0]).as_bytes()).unwrap();
        out.flush().unwrap();
        gateway.run_until_signalled().await;
    });
}
