//! NATS is away for a while under a load that does not wait, and every event is accounted for.
//!
//! `TRACKLANE_NATS_AWAY` sets for how many seconds, at 5,000 events a second; a long run is `TRACKLANE_NATS_AWAY=600 cargo
//! test --release -p tracklane-gateway --test it outage -- --nocapture`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane_gateway::{Catalog, Gateway, Layout, Worker};
use tracklane_spool::Backlog;

use crate::nats::Nats;
use crate::open_load::{Load, Offered};
use crate::process::Process;
use crate::support::{SERVER, wait_until};

const MIB: u64 = 1 << 20;
/// What the gateway may have under way.
const BUDGET: u64 = 128 * MIB;
/// The time with the load before the outage.
const BEFORE: Duration = Duration::from_secs(2);

fn write_config(nats: &Nats, directory: &Path, max_bytes: &str) {
    let log = nats.log(&format!("directory = {:?}\nkeep = \"0s\"\nmax_spill_bytes = \"8GiB\"", directory.join("log")));
    let text = format!(
        "{SERVER}max_connections = 1000\nmax_memory = \"{BUDGET}B\"\n{}[sources.app]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"nowhere\"\n",
        log.replace("max_bytes = \"64MiB\"", &format!("max_bytes = {max_bytes:?}")),
    );
    std::fs::write(directory.join("gateway.toml"), text).unwrap();
}

/// How often each event arrived, by user and number.
#[derive(Default)]
struct Arrived {
    times: Vec<Vec<u8>>,
    /// Ids that came before one of the same user with a lower number.
    too_early: Vec<String>,
}

impl Arrived {
    fn note(&mut self, id: &str) {
        let (user, number) = id.split_once('-').unwrap();
        let (user, number): (usize, usize) = (user.parse().unwrap(), number.parse().unwrap());
        if self.times.len() <= user {
            self.times.resize_with(user + 1, Vec::new);
        }
        let times = &mut self.times[user];
        if times.len() < number {
            self.too_early.push(id.to_owned());
        }
        if times.len() <= number {
            times.resize(number + 1, 0);
        }
        times[number] = times[number].saturating_add(1);
    }

    fn count(&self, user: usize, number: u64) -> u8 {
        self.times.get(user).and_then(|times| times.get(number as usize)).copied().unwrap_or(0)
    }

    /// Events that arrived again.
    fn repeated(&self) -> u64 {
        self.times.iter().flatten().map(|times| u64::from(times.saturating_sub(1))).sum()
    }

    /// Ids that were answered with 200 and did not arrive.
    fn lost(&self, offered: &Offered) -> Vec<String> {
        let ids = offered.taken.iter().enumerate().flat_map(|(user, numbers)| numbers.iter().map(move |n| (user, *n)));
        ids.filter(|(user, number)| self.count(*user, *number) == 0).map(|(user, n)| format!("{user}-{n}")).collect()
    }
}

/// The stock, with the destination of the configuration.
fn catalog(arrived: &Arc<Mutex<Arrived>>) -> Catalog {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    let arrived = Arc::clone(arrived);
    Catalog::stock().destination("nowhere", move |_: Nothing| {
        let arrived = Arc::clone(&arrived);
        let destination = Destination::from_fn("nowhere", move |batch: Batch| {
            let mut arrived = arrived.lock().unwrap();
            batch.messages().for_each(|message| arrived.note(&message.message_id()));
            async { Ok::<(), std::io::Error>(()) }
        });
        Ok::<_, std::io::Error>(destination.batching(Batching::every(1_000, Duration::from_millis(50))))
    })
}

fn backlog(directory: &Path) -> Backlog {
    let stores = Layout::of(directory.join("gateway.toml")).unwrap().stores().unwrap();
    let spill = stores.into_iter().find(|store| store.destination.as_deref() == Some("jetstream"));
    spill.map(|store| store.backlog().unwrap()).unwrap_or_default()
}

/// The most that waited on the disk.
#[derive(Clone, Default)]
struct Peak {
    events: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    files: Arc<AtomicU64>,
}

impl Peak {
    /// Looks once, and says how many files there are.
    fn look(&self, directory: &Path) -> u64 {
        let found = backlog(directory);
        self.events.fetch_max(found.events, Ordering::AcqRel);
        self.bytes.fetch_max(found.bytes, Ordering::AcqRel);
        self.files.fetch_max(found.files, Ordering::AcqRel);
        found.files
    }
}

#[test]
fn nats_is_away_under_load_and_nothing_is_lost_and_clients_see_only_200() {
    let Some(nats) = Nats::start() else { return };
    let long = std::env::var("TRACKLANE_NATS_AWAY").ok().map(|seconds| seconds.parse().unwrap());
    // A build without optimisation on a busy machine has no 5,000.
    let (away, rate) = long.map_or((Duration::from_secs(5), 1_000), |long| (Duration::from_secs(long), 5_000));
    let directory = TempDir::new().unwrap();
    // NATS refuses more than the disk has.
    write_config(&nats, directory.path(), if long.is_some() { "4GiB" } else { "64MiB" });
    let runtime = Runtime::new().unwrap();
    let (arrived, config) = (Arc::new(Mutex::new(Arrived::default())), directory.path().join("gateway.toml"));
    runtime.block_on(Gateway::create_streams(&config, &catalog(&arrived))).unwrap();
    let gateway = Process::gateway(directory.path());
    let worker = runtime.block_on(Worker::start(&config, catalog(&arrived))).unwrap();

    let (end, peak) = (Arc::new(AtomicBool::new(false)), Peak::default());
    let load = runtime.spawn(Load { address: gateway.address, rate, users: rate / 10 }.run(Arc::clone(&end)));
    thread::sleep(BEFORE);
    nats.kill();
    let killed = Instant::now();
    while killed.elapsed() < away {
        thread::sleep(Duration::from_millis(500));
        peak.look(directory.path());
    }
    nats.start_again();
    let back = Instant::now();
    // The load goes on meanwhile.
    while peak.look(directory.path()) > 0 {
        assert!(
            back.elapsed() < away + Duration::from_secs(180),
            "the disk is not empty: {:?}",
            backlog(directory.path())
        );
        thread::sleep(Duration::from_millis(100));
    }
    let drained = back.elapsed();
    end.store(true, Ordering::Release);
    let offered = runtime.block_on(load).unwrap();
    let memory = gateway.memory("VmHWM");
    assert!(gateway.terminate().success());
    wait_until("all has arrived", || arrived.lock().unwrap().lost(&offered).is_empty());
    runtime.block_on(worker.stop());

    let arrived = arrived.lock().unwrap();
    let [events, bytes, files] = [&peak.events, &peak.bytes, &peak.files].map(|figure| figure.load(Ordering::Acquire));
    println!("NATS away for {away:?} at {rate} events/s: {offered}");
    println!(
        "{} events repeated; at most {} MiB of memory, and {events} events of {} MB in {files} files on the disk, \
         drained in {drained:.1?} while the load went on",
        arrived.repeated(),
        memory / MIB,
        bytes / 1_000_000,
    );
    let lost = arrived.lost(&offered);
    assert!(lost.is_empty(), "{} are lost: {:?}", lost.len(), lost.first());
    assert!(
        arrived.too_early.is_empty(),
        "{} came too early: {:?}",
        arrived.too_early.len(),
        arrived.too_early.first()
    );
    assert!(offered.statuses.keys().all(|status| *status == 200), "{:?}", offered.statuses);
    assert!(events > u64::from(rate) * away.as_secs() / 2, "{events} events were on the disk: the outage was none");
    assert!(memory <= BUDGET + 64 * MIB, "{} MiB with a budget of {} MiB", memory / MIB, BUDGET / MIB);
}
