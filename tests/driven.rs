//! A driven client starts no thread. In a process of its own, where nothing else does.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Destination, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event, Track, signal};

const SOON: Duration = Duration::from_secs(20);

/// The names of the threads of this process.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this is Linux").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

fn busy(analytics: &Analytics) -> usize {
    for number in 0..1_000 {
        let event = Track::new("x").user_id(number.to_string()).on_delivery(|_| ());
        analytics.track(event).expect("accepted");
    }
    threads().len()
}

#[test]
fn a_driven_client_starts_no_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let before = threads().len();
        let destination = Destination::from_fn("r", |_: Batch| async { Ok::<(), std::io::Error>(()) });
        let settings = Analytics::builder().plugin(destination).on(signal::Track, |_| ()).on(signal::Flush, |_| ());
        let analytics = settings.driven(tokio::time::sleep).build().expect("settings");
        analytics.register(enrichment_fn("e", |_: &mut Event| ())).await.expect("registered");
        let within = busy(&analytics);
        let flushed = analytics.flush(SOON).await;
        let after = threads();
        assert_eq!((flushed.delivered, within, after.len()), (1_000, before, before), "{after:?}");
        assert!(analytics.close(SOON).await.is_complete());
        drop(analytics);
        assert_eq!(threads().len(), before);
    });

    // With the default HTTP client and gzip, too; the server's threads come and go.
    let api = TrackingApi::start().expect("a server");
    runtime.block_on(async {
        let segment = Segment::new("k").host(api.url()).gzip(true);
        let analytics = Analytics::builder().segment(segment).driven(tokio::time::sleep).build().expect("settings");
        busy(&analytics);
        assert_eq!(analytics.flush(SOON).await.delivered, 1_000);
        let own: Vec<String> = threads().into_iter().filter(|name| name.starts_with("tracklane")).collect();
        assert_eq!(own.len(), 0, "{own:?}");
    });

    // What the count is worth: another client has threads. They name themselves when they begin.
    let other = Analytics::builder_for("k").build().expect("settings");
    let (give_up, wanted) = (Instant::now() + SOON, ["tracklane", "tracklane-watch"]);
    while !wanted.iter().all(|wanted| threads().iter().any(|name| name == wanted)) {
        assert!(Instant::now() < give_up, "{:?}", threads());
        std::thread::yield_now();
    }
    drop(other);
}
