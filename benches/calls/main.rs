//! One call, timed by itself: what `track()` costs the thread that calls it.
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
use loopback::rounds::{median, take_turns};
use loopback::scenario::Scenario;
use loopback::timing::Pace;
use work::Work;

/// Calls of each thread in one run.
const CALLS: u64 = 20_000;

/// Each subject, and the one it is compared with.
const SUBJECTS: [(&str, Work, usize); 8] = [
    ("nothing", Work::Nothing, 2),
    ("event freed, not sent", Work::Freed, 2),
    ("bare queue", Work::BareQueue, 2),
    ("bare queue, JSON copied", Work::BareQueueOfText, 2),
    ("bare sync_channel", Work::SyncChannel, 2),
    ("track(), event built before", Work::Track, 2),
    ("serde_json map built", Work::Map, 6),
    ("track(), event built in the call", Work::TrackBuiltInCall, 6),
];

fn main() -> Result<(), Box<dyn Error>> {
    if loopback::played_a_part()? {
        return Ok(());
    }
    let wanted = Wanted::from_arguments();
    let rounds = if wanted.quick { 3 } else { 7 };
    println!("| condition | subject | p50 ns | p99 ns | p50 ÷ reference |");
    println!("|---|---|--:|--:|--:|");
    for (name, pace, delay) in conditions().into_iter().filter(|(name, ..)| wanted.contains(name)) {
        // A tight loop is over in some 15 ms, in which the worker may be busy for much or little of it.
        let rounds = if pace.pause == 0 { 3 * rounds } else { rounds };
        compare(name, pace, delay, rounds)?;
    }
    Ok(())
}

/// A name, how calls follow each other, and after how many milliseconds the server answers.
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

/// Prints a line for every subject.
fn compare(name: &str, pace: Pace, delay: u64, rounds: usize) -> Result<(), Box<dyn Error>> {
    let of = |work| {
        let events = CALLS * pace.threads;
        Scenario { work, events, delay, queue: 200_000, calls: Some(pace), ..Scenario::default() }
    };
    let table = SUBJECTS.map(|(subject, work, _)| (subject, of(work)));
    let results = take_turns(&table, rounds)?;
    let found: Vec<_> = results
        .iter()
        .map(|(_, runs)| [median(runs, |(client, _)| client.p50 as f64), median(runs, |(client, _)| client.p99 as f64)])
        .collect();
    for ((subject, _, reference), [p50, p99]) in SUBJECTS.into_iter().zip(&found) {
        println!("| {name} | {subject} | {p50:.0} | {p99:.0} | {:.2} |", p50 / found[reference][0]);
    }
    Ok(())
}
