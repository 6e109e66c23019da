//! Measures what one call of `track()` costs the calling thread.
//!
//! ```text
//! cargo bench --bench calls              # everything, about four minutes
//! cargo bench --bench calls -- --quick   # fewer rounds
//! cargo bench --bench calls -- tight     # the conditions with this in their name
//! ```
//!
//! Compared within the same rounds: bounded queues of the same events, and the building of a `serde_json` map of the
//! same properties. Each of them is a process of its own, as is the server. Every figure holds two readings of the
//! clock. Medians over the rounds of each round's median and 99th percentile.

#[path = "../item_purchased/mod.rs"]
mod item_purchased;
#[path = "../loopback/mod.rs"]
mod loopback;

mod work;

use std::error::Error;

use loopback::Wanted;
use loopback::pace::Pace;
use loopback::rounds::take_turns;
use loopback::stats::median;
use work::{Scenario, Work};

/// Calls of each thread in one run.
const CALLS: u64 = 20_000;

/// One column each. The last four are compared with each other.
const SUBJECTS: [(&str, Work); 8] = [
    ("nothing", Work::Nothing),
    ("event freed, not sent", Work::Freed),
    ("bare queue, JSON copied", Work::BareQueueOfText),
    ("bare `sync_channel`", Work::SyncChannel),
    ("bare queue", Work::BareQueue),
    ("`track()`, built before", Work::Track),
    ("`serde_json` map built", Work::Map),
    ("`track()`, built in the call", Work::TrackBuiltInCall),
];

fn main() -> Result<(), Box<dyn Error>> {
    if loopback::ran_as_part::<Work>()? {
        return Ok(());
    }
    let wanted = Wanted::from_arguments();
    let rounds = if wanted.quick { 3 } else { 7 };
    println!("p50 / p99 in ns; before ÷ queue and in the call ÷ map are of p50.\n");
    let subjects = SUBJECTS.map(|(subject, _)| subject).join(" | ");
    println!("| condition | {subjects} | before ÷ queue | in the call ÷ map |");
    println!("|---{}|", "|--:".repeat(SUBJECTS.len() + 2));
    for (name, pace, delay) in conditions().into_iter().filter(|(name, ..)| wanted.contains(name)) {
        // A tight loop is over in some 15 ms, in which the worker may be busy for much or little of it.
        let rounds = if pace.pause == 0 { 3 * rounds } else { rounds };
        compare(name, pace, delay, rounds)?;
    }
    Ok(())
}

/// A name, the interval between calls, and the server's delay in milliseconds.
fn conditions() -> [(&'static str, Pace, u64); 7] {
    let tight = Pace { threads: 1, pause: 0, ahead: true };
    let just_before = Pace { ahead: false, ..tight };
    let paused = Pace { pause: 50, ..tight };
    [
        ("tight loop, server at once", tight, 0),
        ("tight loop, server after 50 ms", tight, 50),
        ("tight loop, 4 threads, server after 50 ms", Pace { threads: 4, ..tight }, 50),
        ("each event built just before, server at once", just_before, 0),
        ("each event built just before, server after 50 ms", just_before, 50),
        ("50 µs between calls, server at once", paused, 0),
        ("50 µs between calls, server after 50 ms", paused, 50),
    ]
}

/// Prints its line.
fn compare(name: &str, pace: Pace, delay: u64, rounds: usize) -> Result<(), Box<dyn Error>> {
    let of = |work| {
        let events = CALLS * pace.threads;
        Scenario { work, events, delay, queue: 200_000, calls: Some(pace), ..Scenario::default() }
    };
    let table = SUBJECTS.map(|(subject, work)| (subject, of(work)));
    let (mut line, mut medians) = (format!("| {name} |"), Vec::new());
    for (_, runs) in take_turns(&table, rounds)? {
        let p50 = median(&runs, |(client, _)| client.p50 as f64);
        let p99 = median(&runs, |(client, _)| client.p99 as f64);
        line += &format!(" {p50:.0} / {p99:.0} |");
        medians.push(p50);
    }
    let [.., queue, before, map, in_the_call] = medians[..] else {
        return Err("subjects are missing".into());
    };
    println!("{line} {:.2} | {:.2} |", before / queue, in_the_call / map);
    Ok(())
}
