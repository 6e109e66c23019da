//! The end of a client, and the end of its runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Track};

use crate::support::{SOON, Trial};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn track(number: usize) -> Track {
    Track::new("Lifecycle").user_id("u1").property("number", number)
}

#[test]
fn the_hosts_runtime_may_end_first() {
    let mut trial = Trial::new();
    let host = runtime();
    host.block_on(async { trial.send(5) });
    drop(host);
    assert_eq!(trial.settled(), (5, 0), "the client has a thread of its own");
    let other = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = other.block_on(async {
        trial.send(5);
        trial.analytics.flush(SOON).await
    });
    assert_eq!(report.pending, 0);
    trial.survives();
}

#[test]
fn the_end_of_the_runtime_that_was_handed_over_is_counted() {
    let host = runtime();
    let handle = host.handle().clone();
    let mut trial = Trial::with(|settings| settings.runtime(handle));
    trial.api.set_default(Reply::hang());
    trial.send(3);
    trial.api.wait_for_requests(1, SOON);
    host.shutdown_timeout(SOON);
    let start = Instant::now();
    let other = runtime();
    let flushed = other.block_on(trial.analytics.flush(SOON));
    let closed = other.block_on(trial.analytics.close(SOON));
    assert!(start.elapsed() < SOON / 2, "there is nothing to wait for: {:?}", start.elapsed());
    assert_eq!((flushed.pending, closed.pending, closed.unsent.len()), (3, 3, 3), "they are handed back");
    assert_eq!(trial.assert_books_balance().dropped.get(DropReason::Closed), 3);
    trial.ends();
}

#[test]
fn a_drop_without_close_drains_and_is_bounded() {
    let api = TrackingApi::start().expect("a free port");
    let client = || Analytics::builder().segment(Segment::new("key").host(api.url())).build().expect("valid");
    let analytics = client();
    (0..10).for_each(|number| analytics.track(track(number)).expect("accepted"));
    drop(analytics);
    assert_eq!(api.events().len(), 10, "what is under way has two seconds");
    api.set_default(Reply::hang());
    let analytics = client();
    analytics.track(track(0)).expect("accepted");
    let start = Instant::now();
    drop(analytics);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn a_drop_inside_a_task_or_a_panic_is_bounded() {
    let api = Arc::new(TrackingApi::start().expect("a free port"));
    let client = |runtime: &Runtime| {
        let settings =
            Analytics::builder().segment(Segment::new("key").host(api.url())).runtime(runtime.handle().clone());
        settings.build().expect("valid")
    };
    let host = runtime();
    let analytics = client(&host);
    analytics.track(track(0)).expect("accepted");
    // On the one thread that does the client's work: waiting there would be waiting for itself.
    host.block_on(host.spawn(async move { drop(analytics) })).expect("it does not panic");
    assert_eq!(api.wait_for_events(1, SOON).len(), 1);
    let analytics = Analytics::builder().segment(Segment::new("key").host(api.url())).build().expect("valid");
    let panics = std::thread::spawn(move || {
        analytics.track(track(1)).expect("accepted");
        assert!(analytics.stats().accepted == 0, "on purpose");
    });
    assert!(panics.join().is_err());
    assert_eq!(api.events().len(), 2, "a drop during a panic drains");
}

#[test]
fn overlapping_flushes_all_get_their_answer() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(100));
    trial.api.script([Reply::status(500), Reply::ok().delay(Duration::from_millis(20))]);
    trial.send(50);
    let flushes: Vec<_> = (0..100)
        .map(|_| {
            let analytics = trial.analytics.clone();
            std::thread::spawn(move || analytics.flush_blocking(SOON))
        })
        .collect();
    for flush in flushes {
        let report = flush.join().expect("it does not panic");
        assert_eq!((report.pending, report.failed), (0, 0));
    }
    assert_eq!(trial.assert_books_balance().delivered, 50);
    trial.survives();
}

#[test]
fn overlapping_closes_all_end() {
    let mut trial = Trial::new();
    trial.send(20);
    let closes: Vec<_> = (0..20)
        .map(|_| {
            let analytics = trial.analytics.clone();
            std::thread::spawn(move || analytics.close_blocking(SOON))
        })
        .collect();
    for close in closes {
        assert_eq!(close.join().expect("it does not panic").pending, 0);
    }
    assert!(trial.try_send().expect_err("closed").is_closed());
    assert_eq!(trial.ends().stats.delivered, 20);
}

#[test]
fn no_runtime_is_needed() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let mut trial = Trial::new();
    assert_eq!(trial.send_each(3), (3, 0));
    trial.survives();
}
