//! A client under mixed faults for some time: its counts balance, and memory, threads and sockets do not grow.
//!
//! This is a test binary of its own, because it measures the process. It takes two seconds by default, or longer:
//!
//! ```text
//! TRACKLANE_SOAK_SECONDS=1800 cargo test --test soak -- --nocapture
//! ```

// Memory, threads and sockets of a process come from `/proc`.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use tracklane::plugin::{RetryPolicy, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Event, Track};

/// The resources of the process.
#[derive(Debug)]
struct Held {
    megabytes: u64,
    threads: u64,
    files: usize,
}

fn held() -> Held {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Held { megabytes: field("VmRSS:") / 1024, threads: field("Threads:"), files }
}

/// Most requests get an answer. The others meet every fault of a network, except faults that take seconds.
fn reply(number: u64) -> Reply {
    match fastrand::Rng::with_seed(number).u8(..100) {
        0..70 => Reply::ok(),
        70..80 => Reply::ok().delay(Duration::from_millis(5)),
        80..86 => Reply::status(503),
        86..90 => Reply::reset(),
        90..93 => Reply::close(),
        93..95 => Reply::garbage(b"not HTTP".to_vec()),
        95..97 => Reply::status(413),
        97..99 => Reply::ok().truncated(),
        _ => Reply::status(404),
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn mixed_faults_for_a_while_leave_nothing_behind() {
    let seconds = std::env::var("TRACKLANE_SOAK_SECONDS").map_or(2, |seconds| seconds.parse().expect("a number"));
    let api = TrackingApi::start().unwrap();
    api.count_only();
    let requests = std::sync::atomic::AtomicU64::new(0);
    api.reply_with(move |_| reply(requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    let retry = RetryPolicy::new().max_retries(4).backoff(Duration::from_millis(1), Duration::from_millis(20));
    let analytics = Analytics::builder()
        .segment(Segment::new("WRITE_KEY").host(api.url()).retry(retry))
        .plugin(enrichment_fn("host", |event: &mut Event| {
            event.context_mut().insert("host", "soak");
        }))
        .build()
        .unwrap();

    let end = Instant::now() + Duration::from_secs(seconds);
    let warm = Instant::now() + Duration::from_secs(seconds) / 2;
    let (mut sent, mut before) = (0_u64, None);
    while Instant::now() < end {
        for _ in 0..100 {
            let event = Track::new("Soaked").user_id(sent).property("text", "x".repeat((sent % 500) as usize));
            // A full queue is part of it; the counts must balance all the same.
            let _ = analytics.track(event);
            sent += 1;
        }
        let stats = analytics.stats();
        assert_eq!(stats.accepted, stats.delivered + stats.dropped.total() + stats.pending, "{stats:?}");
        if Instant::now() > warm {
            before.get_or_insert_with(held);
        }
        std::thread::yield_now();
    }
    let after = held();
    assert_eq!(analytics.flush_blocking(Duration::from_secs(60)).pending, 0, "everything has its outcome");
    let stats = analytics.stats();
    println!("{sent} calls, {stats:#?}\nhalf-way {before:?}, at the end {after:?}");
    assert_eq!(stats.accepted + stats.refused, sent);
    assert_eq!(stats.accepted, stats.delivered + stats.dropped.total());
    assert!(stats.delivered > stats.dropped.total(), "most arrive");
    let before = before.expect("the second half began");
    assert!(after.megabytes <= before.megabytes + 16, "memory: {before:?} -> {after:?}");
    assert!(after.threads <= before.threads + 8, "threads: {before:?} -> {after:?}");
    assert!(after.files <= before.files + 32, "sockets: {before:?} -> {after:?}");
}
