//! One call, timed by itself: what `track()` costs the thread that calls it.
//!
//! ```text
//! cargo bench --bench calls              # everything, about three minutes
//! cargo bench --bench calls -- --quick   # fewer rounds
//! cargo bench --bench calls -- tight     # the conditions with this in their name
//! ```
//!
//! Compared within the same rounds: a bounded queue of the same events whose consumer is woken once per batch, and the
//! building of a `serde_json` map of the same properties. Every figure holds two readings of the clock. Medians over
//! the rounds of each round's median and 99th percentile.

mod item_purchased;

use std::collections::VecDeque;
use std::error::Error;
use std::hint::{black_box, spin_loop};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Track};

use item_purchased::{call, properties};

/// Calls of each thread in one round.
const CALLS: u64 = 20_000;
const PAUSE: Duration = Duration::from_micros(50);
/// More than all calls of a round.
const ROOM: usize = 200_000;
const BATCH: usize = 100;

#[derive(Clone, Copy)]
struct Condition {
    name: &'static str,
    threads: u64,
    pause: Duration,
    answer_after: Duration,
}

const CONDITIONS: [Condition; 5] = {
    let tight = Condition {
        name: "tight loop, server at once",
        threads: 1,
        pause: Duration::ZERO,
        answer_after: Duration::ZERO,
    };
    let slow = Duration::from_millis(50);
    [
        tight,
        Condition { name: "tight loop, server after 50 ms", answer_after: slow, ..tight },
        Condition { name: "tight loop, 4 threads, server after 50 ms", threads: 4, answer_after: slow, ..tight },
        Condition { name: "50 µs between calls, server at once", pause: PAUSE, ..tight },
        Condition { name: "50 µs between calls, server after 50 ms", pause: PAUSE, answer_after: slow, ..tight },
    ]
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = if arguments.iter().any(|argument| argument == "--quick") { 3 } else { 7 };
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));
    println!("| condition | subject | p50 ns | p99 ns | p50 ÷ reference |");
    println!("|---|---|--:|--:|--:|");
    for condition in CONDITIONS.iter().filter(|condition| filter.is_none_or(|name| condition.name.contains(name))) {
        compare(condition, rounds)?;
    }
    Ok(())
}

/// Prints a line for every subject.
fn compare(condition: &Condition, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut found: [Vec<(u64, u64)>; 4] = Default::default();
    for _ in 0..rounds {
        found[0].push(bare_queue(condition));
        found[1].push(track(condition, call, |event| event)?);
        found[2].push(time(condition, |_| (), |()| drop(black_box(properties()))));
        found[3].push(track(condition, |number| number, call)?);
    }
    let lines = [
        ("bare queue", 0),
        ("track(), event built before", 0),
        ("serde_json map built", 2),
        ("track(), event built in the call", 2),
    ];
    let medians = found.map(|mut rounds| {
        let (mut p50, mut p99): (Vec<u64>, Vec<u64>) = rounds.drain(..).unzip();
        (median(&mut p50), median(&mut p99))
    });
    for ((subject, reference), (p50, p99)) in lines.into_iter().zip(medians) {
        let ratio = p50 as f64 / medians[reference].0 as f64;
        println!("| {} | {subject} | {p50} | {p99} | {ratio:.2} |", condition.name);
    }
    Ok(())
}

/// Calls `track` with what `build` makes of what `prepare` made before the clock was started.
fn track<T: Send>(
    condition: &Condition,
    prepare: fn(u64) -> T,
    build: fn(T) -> Track,
) -> Result<(u64, u64), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    api.count_only();
    api.set_default(Reply::ok().delay(condition.answer_after));
    let settings = Analytics::builder("WRITE_KEY").host(api.url()).flush_at(BATCH).max_queue_size(ROOM);
    let analytics = settings.max_queue_bytes(usize::MAX / 2).build()?;
    // The connections are there.
    analytics.track(call(0))?;
    analytics.flush_blocking(Duration::from_secs(10));
    let times = time(condition, prepare, |input| analytics.track(build(input)).expect("there is room"));
    let report = analytics.close_blocking(Duration::from_secs(60));
    if report.pending > 0 || report.failed > 0 {
        return Err(format!("not everything was delivered: {report:?}").into());
    }
    Ok(times)
}

/// A queue and nothing else: bounded, and its consumer is woken once per batch.
fn bare_queue(condition: &Condition) -> (u64, u64) {
    struct Queue {
        waiting: Mutex<(VecDeque<Track>, bool)>,
        wake: Condvar,
    }
    let waiting = Mutex::new((VecDeque::with_capacity(ROOM), false));
    let queue = Arc::new(Queue { waiting, wake: Condvar::new() });
    let consumer = thread::spawn({
        let queue = queue.clone();
        move || {
            let mut taken = VecDeque::with_capacity(ROOM);
            loop {
                let waiting = queue.waiting.lock().expect("no panic");
                let enough = |state: &mut (VecDeque<Track>, bool)| state.0.len() < BATCH && !state.1;
                let mut waiting = queue.wake.wait_while(waiting, enough).expect("no panic");
                std::mem::swap(&mut taken, &mut waiting.0);
                let closed = waiting.1;
                drop(waiting);
                taken.clear();
                if closed {
                    return;
                }
            }
        }
    });
    let times = time(condition, call, |event| {
        let mut waiting = queue.waiting.lock().expect("no panic");
        assert!(waiting.0.len() < ROOM);
        waiting.0.push_back(event);
        let due = waiting.0.len() == BATCH;
        drop(waiting);
        if due {
            queue.wake.notify_one();
        }
    });
    queue.waiting.lock().expect("no panic").1 = true;
    queue.wake.notify_one();
    consumer.join().expect("no panic");
    times
}

/// Times each call of `work` by itself, on as many threads as the condition says. Returns median and 99th percentile.
fn time<T: Send>(condition: &Condition, prepare: fn(u64) -> T, work: impl Fn(T) + Sync) -> (u64, u64) {
    let start = Barrier::new(condition.threads as usize);
    let mut times: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..condition.threads)
            .map(|_| {
                scope.spawn(|| {
                    let prepare = |number| prepare_and_pause(condition.pause, || prepare(number));
                    start.wait();
                    (0..CALLS).map(prepare).map(|input| time_one(|| work(input))).collect::<Vec<u64>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// What `prepare` makes, when `pause` has passed.
fn prepare_and_pause<T>(pause: Duration, prepare: impl FnOnce() -> T) -> T {
    let before = Instant::now();
    let prepared = prepare();
    while before.elapsed() < pause {
        spin_loop();
    }
    prepared
}

fn time_one(work: impl FnOnce()) -> u64 {
    let before = Instant::now();
    work();
    before.elapsed().as_nanos() as u64
}

fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}
