//! The gateway and its destination are ended and frozen in every way, and the oracle accounts for every id.
//!
//! `TRACKLANE_GATEWAY_KILLS` sets how often; a long run is
//! `TRACKLANE_GATEWAY_KILLS=5000 cargo test --release -p tracklane-gateway --test it kill`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::oracle::{Address, Clients, UNDER_WAY, account};
use crate::process::{Process, noted, waiting};
use crate::support::{flaky_api, wait_until};

const KILLS: u32 = 200;

/// The number of kills, and whether it is that of a long run.
fn kills(short: u32) -> (u32, bool) {
    std::env::var("TRACKLANE_GATEWAY_KILLS").map_or((short, false), |kills| (kills.parse().unwrap(), true))
}

fn write_config(directory: &Path, url: &str) {
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         [log.disk]\ndirectory = {:?}\n\
         [sources.app]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"segment\"\n\
         settings = {{ write_key = \"k\", host = {:?}, flush_at = 20 }}\n",
        directory.join("log"),
        url,
    );
    std::fs::write(directory.join("gateway.toml"), text).unwrap();
}

#[test]
fn kill_at_random_points_loses_nothing_acknowledged_and_keeps_order() {
    let (kills, is_long) = kills(KILLS);
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let api = flaky_api(&flaky);
    write_config(directory.path(), &api.url());
    let address = Address::default();
    let clients = Clients::start(4, &address);
    for run in 0..kills {
        let running = Process::gateway(directory.path());
        address.set(Some(running.address));
        thread::sleep(Duration::from_micros(fastrand::u64(..100_000)));
        if run % 4 == 0 {
            // A process that is frozen for a while, and then goes on or is killed.
            running.freeze(Duration::from_millis(fastrand::u64(..50)));
            thread::sleep(Duration::from_millis(fastrand::u64(..20)));
        }
        running.kill();
        address.set(None);
    }
    flaky.store(false, Ordering::Release);
    let last = Process::gateway(directory.path());
    address.set(Some(last.address));
    let noted = clients.end();
    wait_until("everything is sent", || waiting(directory.path()) == 0);
    assert!(last.terminate().success());
    let report = account(&noted, &api.events());
    println!("{kills} kills: {report:?}, {:?}; {}", noted.statuses, report.repeated_by_one_of(kills));
    assert!(noted.statuses.keys().all(|status| *status == 200), "{:?}", noted.statuses);
    assert!(report.arrived >= report.acknowledged);
    report.check_repeated_by_one_of(kills, UNDER_WAY, is_long);
    assert!(report.acknowledged as u32 > kills, "too few were acknowledged to mean anything: {report:?}");
}

#[test]
fn a_graceful_stop_under_load_answers_with_200_or_503_and_leaves_nothing() {
    let (directory, flaky) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let api = flaky_api(&flaky);
    write_config(directory.path(), &api.url());
    let address = Address::default();
    let clients = Clients::start(8, &address);
    for _ in 0..5 {
        let running = Process::gateway(directory.path());
        address.set(Some(running.address));
        thread::sleep(Duration::from_millis(300));
        assert!(running.terminate().success());
        address.set(None);
        assert_eq!(waiting(directory.path()), 0, "the destination took everything before the process ended");
    }
    let last = Process::gateway(directory.path());
    address.set(Some(last.address));
    let noted = clients.end();
    assert!(last.terminate().success());
    let report = account(&noted, &api.events());
    println!("{report:?}, {:?}", noted.statuses);
    assert!(noted.statuses.keys().all(|status| matches!(status, 200 | 503)), "{:?}", noted.statuses);
    assert_eq!(report.duplicates, 0, "a graceful stop repeats nothing");
}

/// Where a destination can be started again and again.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn kills_and_freezes_of_gateway_and_destination_lose_nothing_and_keep_order() {
    let (rounds, is_long) = kills(KILLS / 4);
    let directory = TempDir::new().unwrap();
    let (arrived, at) = (directory.path().join("arrived"), free_address());
    write_config(directory.path(), &format!("http://{at}"));
    let address = Address::default();
    let clients = Clients::start(4, &address);
    let mut destination = Process::destination(&arrived, at);
    let mut gateway = Process::gateway(directory.path());
    address.set(Some(gateway.address));
    for _ in 0..rounds {
        thread::sleep(Duration::from_micros(fastrand::u64(..100_000)));
        let frozen = Duration::from_millis(fastrand::u64(..100));
        let what = fastrand::u32(..5);
        match what {
            0 => destination.freeze(frozen),
            1 => gateway.freeze(frozen),
            _ => {}
        }
        // Both at once, or one alone.
        if matches!(what, 2 | 4) {
            destination.kill();
            thread::sleep(frozen);
            destination = Process::destination(&arrived, at);
        }
        if matches!(what, 3 | 4) {
            gateway.kill();
            address.set(None);
            gateway = Process::gateway(directory.path());
            address.set(Some(gateway.address));
        }
    }
    let told = clients.end();
    wait_until("everything is sent", || waiting(directory.path()) == 0);
    assert!(gateway.terminate().success());
    let report = account(&told, &noted(&arrived));
    println!("{rounds} rounds: {report:?}, {:?}; {}", told.statuses, report.repeated_by_one_of(rounds));
    assert!(told.statuses.keys().all(|status| *status == 200), "{:?}", told.statuses);
    report.check_repeated_by_one_of(rounds, UNDER_WAY, is_long);
    assert!(report.acknowledged as u32 > rounds, "too few were acknowledged to mean anything: {report:?}");
    drop(destination);
}
