//! Measures a quiet service: events at even intervals, and the cost of the client's threads.
//!
//! Counts only the threads that the client started, and also the time after the last event.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::meter;
use super::report::ClientReport;
use super::scenario::Scenario;
use super::timing;

/// Sends what `prepare` made, at the scenario's rate and for its duration.
pub(crate) fn run<W, T>(scenario: &Scenario<W>, prepare: impl Fn(u64) -> T, mut call: impl FnMut(T)) -> ClientReport {
    // Earlier work has ended.
    thread::sleep(Duration::from_millis(100));
    let (cpu, wake_ups, start) = (meter::cpu_of_others(), wake_ups_of_others(), Instant::now());
    let mut calls = Vec::with_capacity(scenario.events as usize);
    for number in 0..scenario.events {
        let event = prepare(number);
        let rate = scenario.rate.unwrap_or(1);
        sleep_until(start + Duration::from_nanos(number * 1_000_000_000 / rate));
        calls.push(timing::time_one(|| call(event)));
    }
    sleep_until(start + Duration::from_secs(scenario.seconds));
    let elapsed = start.elapsed().as_nanos() as u64;
    let (cpu, wake_ups) = (meter::cpu_of_others().saturating_sub(cpu), wake_ups_of_others().saturating_sub(wake_ups));
    ClientReport { elapsed, cpu, wake_ups, ..timing::report(calls) }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// Returns how often the other threads of this process went to sleep by themselves, 0 without `/proc`.
fn wake_ups_of_others() -> u64 {
    let own = fs::read_link("/proc/thread-self").unwrap_or_default();
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let others = threads.filter(|thread| Some(thread.file_name().as_os_str()) != own.file_name());
    others.map(|thread| slept(&fs::read_to_string(thread.path().join("status")).unwrap_or_default())).sum()
}

fn slept(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|times| times.trim().parse().ok()).unwrap_or(0)
}
