//! The sections of the benchmark. Each prints a table.

use std::error::Error;

use crate::loopback::Wanted;
use crate::loopback::pace::Pace;
use crate::loopback::rounds::{Run, Runs, by_turns};
use crate::loopback::scenario::run_and_count;
use crate::loopback::stats::median;
use crate::work::{Scenario, Work};

/// Prints its table. `true` means fewer and shorter runs.
type Section = fn(bool) -> Result<(), Box<dyn Error>>;
type Table = Vec<(&'static str, Scenario)>;

/// No flush by the caller: the peer fills its batches as it likes.
const AS_IT_LIKES: usize = usize::MAX;

pub(crate) fn run(wanted: &Wanted) -> Result<(), Box<dyn Error>> {
    let sections: [(&str, Section); 4] = [("path", path), ("slow", slow), ("calls", calls), ("quiet", quiet)];
    for (name, section) in sections {
        if wanted.contains(name) {
            println!("\n## {name}");
            section(wanted.quick)?;
        }
    }
    Ok(())
}

fn path(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (1, 50_000) } else { (5, 200_000) };
    let of = |work, flush_at, in_flight| Scenario { work, events, flush_at, in_flight, ..Scenario::default() };
    let one_by_one = Scenario { events: events / 10, ..of(Work::RudderOneByOne, 1, 1) };
    print(
        vec![
            ("no SDK: one thread, 100", of(Work::OneThread, 100, 1)),
            ("no SDK: bytes in batches, 100", of(Work::BytesInBatches, 100, 1)),
            ("tracklane, 100, 8 in flight", of(Work::Tracklane, 100, 8)),
            ("tracklane, 100, 1 in flight", of(Work::Tracklane, 100, 1)),
            ("tracklane, 15 (default), 8 in flight", of(Work::Tracklane, 15, 8)),
            ("segment 0.2.6, 100", of(Work::Segment, 100, 1)),
            ("segment 0.2.6, 500 KB (default)", of(Work::Segment, AS_IT_LIKES, 1)),
            ("posthog-rs 0.30.0, 100 (default)", of(Work::Posthog, 100, 1)),
            ("rudderanalytics 2.0.1, 100", of(Work::Rudder, 100, 1)),
            ("rudderanalytics 2.0.1, one by one", one_by_one),
        ],
        rounds,
    )
}

/// Answers after 50 ms. Whoever waits for each answer gets fewer events, for the same time.
fn slow(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (1, 2_000) } else { (3, 4_000) };
    let of = |work, flush_at, in_flight, events| Scenario {
        work,
        events,
        flush_at,
        in_flight,
        delay: 50,
        ..Scenario::default()
    };
    print(
        vec![
            ("no SDK: one thread, 100", of(Work::OneThread, 100, 1, events)),
            ("tracklane, 100, 8 in flight", of(Work::Tracklane, 100, 8, events * 50)),
            ("tracklane, 100, 1 in flight", of(Work::Tracklane, 100, 1, events * 10)),
            ("segment 0.2.6, 100", of(Work::Segment, 100, 1, events)),
            ("segment 0.2.6, 500 KB (default)", of(Work::Segment, AS_IT_LIKES, 1, events * 10)),
            ("posthog-rs 0.30.0, 100 (default)", of(Work::Posthog, 100, 1, events)),
            ("rudderanalytics 2.0.1, 100", of(Work::Rudder, 100, 1, events)),
        ],
        rounds,
    )
}

fn print(table: Table, rounds: usize) -> Result<(), Box<dyn Error>> {
    println!(
        "| SDK, batch | events | events/s | × the first | CPU µs per event | peak RSS MB | events per request | bytes per event | \
         connections | missing | twice |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut limit = None;
    let events: Vec<f64> = table.iter().map(|(_, scenario)| scenario.events as f64).collect();
    for ((name, runs), events) in by_turns(&table, rounds, run_and_count)?.into_iter().zip(events) {
        let of = |what: &dyn Fn(&Run) -> f64| median(&runs, what);
        let per_second = of(&|(client, _)| events * 1e9 / client.elapsed as f64);
        let ratio = per_second / *limit.get_or_insert(per_second);
        let cpu = of(&|(client, _)| client.cpu as f64 / events / 1000.0);
        let peak = of(&|(client, _)| client.peak as f64 / 1e6);
        let per_request = of(&|(_, server)| events / server.requests as f64);
        let bytes = of(&|(_, server)| server.bytes as f64 / events);
        let connections = of(&|(_, server)| server.connections as f64);
        let (missing, twice) = lost_and_repeated(&runs, events);
        println!(
            "| {name} | {events:.0} | {per_second:.0} | {ratio:.2} | {cpu:.2} | {peak:.0} | {per_request:.0} | {bytes:.0} | \
             {connections:.0} | {missing} | {twice} |"
        );
    }
    Ok(())
}

/// Events of all rounds that did not arrive, and arrivals beyond the first.
fn lost_and_repeated(runs: &Runs, events: f64) -> (u64, u64) {
    let once: u64 = runs.iter().map(|(_, server)| server.once).sum();
    let twice = runs.iter().map(|(_, server)| server.again).sum();
    (events as u64 * runs.len() as u64 - once, twice)
}

/// What a client costs that has little to do, each with its defaults. The least of the runs counts, because whatever else
/// runs adds to it.
fn quiet(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, seconds) = if quick { (1, 10) } else { (3, 20) };
    let of = |work, flush_at, rate| Scenario { work, flush_at, ..Scenario::default() }.at_rate(rate, seconds);
    println!(
        "| events/s | tracklane, 15 (default): CPU of a core, % | wake-ups/s | tracklane, 100: CPU of a core, % | wake-ups/s \
         | posthog-rs 0.30.0, 100 (default): CPU of a core, % | wake-ups/s |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for rate in [0, 1, 10, 100, 1_000] {
        let table = [
            ("tracklane, 15", of(Work::Tracklane, 15, rate)),
            ("tracklane, 100", of(Work::Tracklane, 100, rate)),
            ("posthog-rs", of(Work::Posthog, 100, rate)),
        ];
        print!("| {rate} |");
        for (_, runs) in by_turns(&table, rounds, run_and_count)? {
            let least = |what: &dyn Fn(&Run) -> f64| runs.iter().map(what).fold(f64::MAX, f64::min);
            let cpu = least(&|(client, _)| 100.0 * client.cpu as f64 / client.elapsed as f64);
            let wake_ups = least(&|(client, _)| client.wake_ups as f64 * 1e9 / client.elapsed as f64);
            print!(" {cpu:.3} | {wake_ups:.0} |");
        }
        println!();
    }
    Ok(())
}

/// Single calls, the event built before: a line for each SDK, and a column for each condition.
fn calls(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, calls) = if quick { (1, 5_000) } else { (3, 10_000) };
    let (tight, paused) = (Pace::default(), Pace { pause: 50, ..Pace::default() });
    let conditions = [
        ("tight loop, 50 ms", tight, 50),
        ("each event built just before, 50 ms", Pace { ahead: false, ..tight }, 50),
        ("50 µs between calls, 50 ms", paused, 50),
        ("50 µs between calls, at once", paused, 0),
    ];
    let mut lines: Vec<(&str, String)> = Vec::new();
    for (_, pace, delay) in conditions {
        let base = Scenario { calls: Some(pace), delay, queue: 200_000, ..Scenario::default() };
        for (at, (name, runs)) in by_turns(&callers(&base, calls), rounds, run_and_count)?.into_iter().enumerate() {
            let p50 = median(&runs, |(client, _)| client.p50 as f64);
            let p99 = median(&runs, |(client, _)| client.p99 as f64);
            if lines.len() == at {
                lines.push((name, String::new()));
            }
            lines[at].1 += &format!(" {p50:.0} / {p99:.0} |");
        }
    }
    println!("p50 / p99 in ns, with two readings of the clock.\n");
    println!("| SDK | {} |", conditions.map(|(condition, ..)| condition).join(" | "));
    println!("|---{}|", "|--:".repeat(conditions.len()));
    lines.iter().for_each(|(name, line)| println!("| {name} |{line}"));
    Ok(())
}

fn callers(base: &Scenario, calls: u64) -> Table {
    let of = |work, flush_at, events| Scenario { work, flush_at, events, ..base.clone() };
    // A call of `rudderanalytics` takes as long as the server.
    let requests = if base.delay > 0 { 50 } else { calls / 4 };
    vec![
        ("bare queue", of(Work::BareQueue, 100, calls)),
        ("tracklane, 100", of(Work::Tracklane, 100, calls)),
        ("segment 0.2.6, 100", of(Work::Segment, 100, calls)),
        ("segment 0.2.6, 500 KB (default)", of(Work::Segment, AS_IT_LIKES, calls)),
        ("posthog-rs 0.30.0, 100 (default)", of(Work::Posthog, 100, calls)),
        ("rudderanalytics 2.0.1", of(Work::RudderOneByOne, 1, requests)),
    ]
}
