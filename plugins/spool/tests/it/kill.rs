//! `kill -9` at any moment: a child process is killed again and again, and the parent accounts for every id.
//!
//! The child is this very test binary, started with [`child`] as its only test. `TRACKLANE_SPOOL_KILLS` sets how
//! often it is killed; a long run is `TRACKLANE_SPOOL_KILLS=5000 cargo test --release --test it kill`.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Receipt};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, event, wait_until};

const KILLS: u32 = 200;
const DIRECTORY: &str = "TRACKLANE_SPOOL_CHILD_DIRECTORY";
const API: &str = "TRACKLANE_SPOOL_CHILD_API";
const RUN: &str = "TRACKLANE_SPOOL_CHILD_RUN";

#[test]
fn kill_at_random_points_loses_nothing_acknowledged() {
    let kills = std::env::var("TRACKLANE_SPOOL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (directory, flaky) = (Directory::new(), Arc::new(AtomicBool::new(true)));
    let api = TrackingApi::start().unwrap();
    let is_flaky = flaky.clone();
    api.reply_with(move |_| match fastrand::u32(..10) {
        0..=2 if is_flaky.load(Ordering::Acquire) => Reply::status(503),
        3 if is_flaky.load(Ordering::Acquire) => Reply::reset(),
        _ => Reply::as_segment(),
    });
    let (mut acknowledged, mut runs_with_acknowledgements) = (HashSet::new(), 0);
    for run in 0..kills {
        let mut running = Running::start(&directory.spool(), &api.url(), &run.to_string());
        // Some from the very start, so that loading and recovery are hit, too; on a slow machine the others must not be.
        match run % 4 {
            0 => {}
            1 => running.wait_for("ready"),
            _ => running.wait_for_first("acknowledged "),
        }
        thread::sleep(Duration::from_micros(fastrand::u64(..100_000)));
        let acks = running.kill();
        runs_with_acknowledgements += u32::from(!acks.is_empty());
        acknowledged.extend(acks);
    }
    flaky.store(false, Ordering::Release);
    let mut last = Running::start(&directory.spool(), &api.url(), "drain");
    last.wait_for("drained");
    last.kill();

    let mut times_arrived = HashMap::new();
    let mut happened = HashMap::new();
    for event in api.events() {
        let id = event["messageId"].as_str().unwrap().to_owned();
        assert_eq!(event["properties"]["id"], *id, "the contents are those of the id");
        let run: u32 = id.split_once('-').unwrap().0.parse().unwrap();
        assert!(run < kills, "{id} was never issued");
        let first = happened.entry(id.clone()).or_insert_with(|| event["timestamp"].clone());
        assert_eq!(*first, event["timestamp"], "{id} keeps its time");
        *times_arrived.entry(id).or_insert(0_u32) += 1;
    }
    let lost: Vec<_> = acknowledged.iter().filter(|id| !times_arrived.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged events are lost: {lost:?}", lost.len(), acknowledged.len());
    let left = directory.names("0000");
    assert_eq!(left, ["lock"], "nothing waits, and nothing was damaged by a kill");
    let most = times_arrived.values().max().unwrap();
    println!(
        "{kills} kills ({runs_with_acknowledgements} after an acknowledgement): {} acknowledged, {} arrived, \
         {} requests, at most {most} copies of one",
        acknowledged.len(),
        times_arrived.len(),
        api.request_count(),
    );
    assert!(runs_with_acknowledgements >= kills / 2, "too few kills came late enough to mean anything");
}

/// A child process, and what it prints.
pub(crate) struct Running {
    process: Child,
    lines: mpsc::Receiver<String>,
    acknowledged: Vec<String>,
}

impl Running {
    pub(crate) fn start(directory: &Path, api: &str, run: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture", "--test-threads", "1"])
            .envs([(API, api), (RUN, run)])
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Without its end, a line may have been cut by the kill.
            while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { process, lines, acknowledged: Vec::new() }
    }

    pub(crate) fn wait_for(&mut self, what: &str) {
        self.wait_until(what, |line| line == what);
    }

    fn wait_for_first(&mut self, prefix: &str) {
        self.wait_until(prefix, |line| line.starts_with(prefix));
    }

    fn wait_until(&mut self, what: &str, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + 2 * SOON;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| panic!("no {what:?}: {error}"));
            self.hear(&line);
            if is_it(line.trim_end()) {
                return;
            }
        }
    }

    fn hear(&mut self, line: &str) {
        self.acknowledged.extend(line.trim_end().strip_prefix("acknowledged ").map(str::to_owned));
    }

    /// Kills the child. Returns what it has acknowledged.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            self.hear(&line);
        }
        self.acknowledged
    }
}

#[test]
#[ignore = "the child process of other tests, which start it"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let (api, run) = (std::env::var(API).unwrap(), std::env::var(RUN).unwrap());
    let spool = Spool::new(PathBuf::from(directory)).flush_interval(Duration::from_millis(10));
    let backoff = RetryPolicy::new().backoff(Duration::from_millis(5), Duration::from_millis(50));
    let segment = Segment::new("k").name("sink").host(api).flush_interval(Duration::from_millis(10)).retry(backoff);
    let analytics = Analytics::builder().plugin(spool.in_front_of(segment.build().unwrap())).build().unwrap();
    if run == "drain" {
        acknowledged(analytics.send_with_receipt(event("0-drain")).unwrap());
        wait_until("everything is sent", || spool.stats().files == 0);
        return say("drained");
    }
    let (receipts, queue) = mpsc::channel::<Receipt>();
    thread::spawn(move || queue.into_iter().for_each(acknowledged));
    say("\nready");
    for n in 0_u64.. {
        match analytics.send_with_receipt(event(&format!("{run}-{n}"))) {
            Ok(receipt) => receipts.send(receipt).unwrap(),
            Err(refused) => assert!(refused.is_queue_full(), "{refused}"),
        }
        if n % 3 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn acknowledged(receipt: Receipt) {
    let end = receipt.wait();
    if end.is_delivered() {
        say(&format!("acknowledged {}", end.message_id));
    }
}

/// In one write, so that a kill cuts lines at their ends as well as it can.
fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
