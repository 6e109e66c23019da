//! A hostile process: its log panics at every line of the client, or it cannot start more threads.
//!
//! This is a test binary of its own, because a subscriber and a limit are for the whole process. A child runs this
//! binary again, with one of the ignored tests below.

use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tracing::span;
use tracklane::plugin::{Batch, Destination, Flow, RetryPolicy, before_fn, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, BoxError, Event, Track, signal};

const SOON: Duration = Duration::from_secs(20);
const HOST: &str = "TRACKLANE_HOST";

/// Lines that the client has logged, each of which panicked.
static LINES: AtomicUsize = AtomicUsize::new(0);

/// A subscriber that panics whenever the client logs anything.
struct Panics;

impl tracing::Subscriber for Panics {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("tracklane")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        LINES.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose: the log");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn hostile_log() {
    static BEGIN: Once = Once::new();
    BEGIN.call_once(|| {
        tracing::subscriber::set_global_default(Panics).expect("the only one");
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<&str>().copied().unwrap_or_default();
            if !text.starts_with("on purpose") {
                hook(panic);
            }
        }));
    });
}

fn track(name: &str) -> Track {
    Track::new(name).user_id("u1")
}

fn quick() -> RetryPolicy {
    RetryPolicy::new().max_retries(5).backoff(Duration::from_millis(1), Duration::from_millis(4))
}

/// Returns the result of `work`. Fails if nothing was logged meanwhile.
#[track_caller]
fn logs<T>(work: impl FnOnce() -> T) -> T {
    let before = LINES.load(Ordering::SeqCst);
    let result = work();
    assert!(LINES.load(Ordering::SeqCst) > before, "nothing was logged");
    result
}

#[track_caller]
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let give_up = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < give_up, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_log_that_panics_kills_no_destination() {
    hostile_log();
    let api = TrackingApi::start().unwrap();
    api.script([Reply::status(503), Reply::status(503)]);
    let analytics =
        Analytics::builder().segment(Segment::new("k").host(api.url()).flush_at(1).retry(quick())).build().unwrap();
    logs(|| {
        for name in ["a", "b", "c"] {
            analytics.track(track(name)).unwrap();
            assert!(analytics.flush_blocking(SOON).is_complete(), "{name}: {:?}", analytics.stats());
        }
    });
    api.script([Reply::status(400)]);
    logs(|| {
        analytics.track(track("refused")).unwrap();
        assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    });
    analytics.track(track("d")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.delivered + closed.failed, closed.pending), (5, 0), "{:?}", analytics.stats());
    assert!(closed.delivered >= 4);
}

#[test]
fn a_log_that_panics_costs_no_event_at_any_plugin() {
    hostile_log();
    let delivered = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = delivered.clone();
    let destination = Destination::from_fn("d", move |batch: Batch| {
        counter.fetch_add(batch.len(), Ordering::SeqCst);
        async { Ok::<(), std::io::Error>(()) }
    });
    let drops = |event: &mut Event| match event.name().as_deref() {
        Some("drop") => Ok(Flow::drop("unwanted")),
        Some("fail") => Err(BoxError::from("out of paper")),
        _ => Ok(Flow::Continue),
    };
    let fails = |event: &mut Event| match event.name().as_deref() {
        Some("enrich") => Err(BoxError::from("out of paper")),
        _ => Ok(()),
    };
    let settings = Analytics::builder().plugin(destination).plugin(before_fn("b", drops));
    let analytics = settings.plugin(enrichment_fn("e", fails)).build().unwrap();
    logs(|| {
        for name in ["drop", "fail", "enrich", "fine"] {
            analytics.track(track(name)).unwrap();
        }
        analytics.track(track("told").on_delivery(|_| panic!("on purpose: a callback"))).unwrap();
        assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    });
    let stats = analytics.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (3, 2), "{stats:?}");
    assert_eq!(stats.dropped.get(tracklane::DropReason::Internal), 0, "{stats:?}");
    assert_eq!(delivered.load(Ordering::SeqCst), 3);
    assert!(analytics.close_blocking(SOON).pending == 0);
}

#[test]
fn a_log_that_panics_reaches_no_caller() {
    hostile_log();
    let hung = Destination::from_fn("d", |_: Batch| std::future::pending::<Result<(), std::io::Error>>());
    let analytics = Analytics::builder().plugin(hung).max_queue_size(1).build().unwrap();
    logs(|| {
        assert!(analytics.track(Track::new("of nobody")).expect_err("invalid").is_invalid());
        analytics.track(track("fills the queue")).unwrap();
        assert!(analytics.track(track("one too many")).expect_err("full").is_queue_full());
        assert_eq!(analytics.close_blocking(Duration::ZERO).unsent.len(), 1);
    });
}

#[test]
fn a_log_that_panics_does_not_end_the_watch_for_what_blocks() {
    hostile_log();
    let (enter, inside) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let blocks = move |_: &mut Event| {
        enter.send(()).unwrap();
        let _ = held.lock().unwrap().recv_timeout(SOON);
    };
    let (destination, told) = (
        Destination::from_fn("d", |_: Batch| async { Ok::<(), std::io::Error>(()) }),
        std::sync::Arc::new(AtomicUsize::new(0)),
    );
    let analytics = Analytics::builder().plugin(destination).plugin(enrichment_fn("blocks", blocks));
    let counter = told.clone();
    let analytics = analytics
        .on(signal::Error, move |failure| {
            counter.fetch_add(usize::from(failure.message.contains("blocks its thread")), Ordering::SeqCst);
        })
        .build()
        .unwrap();
    for times in 1..=2 {
        analytics.track(track("x")).unwrap();
        inside.recv_timeout(SOON).unwrap();
        eventually("it is named, each time", || told.load(Ordering::SeqCst) == times);
        release.send(()).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
}

/// A recorder that hangs or panics when the test says so.
struct HostileRecorder;

static HANGS: AtomicBool = AtomicBool::new(false);
static PANICS: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicUsize = AtomicUsize::new(0);

impl HostileRecorder {
    fn ask() {
        ASKED.fetch_add(1, Ordering::SeqCst);
        while HANGS.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if PANICS.load(Ordering::SeqCst) {
            panic!("on purpose: the recorder");
        }
    }
}

impl metrics::Recorder for HostileRecorder {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}

    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}

    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}

    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        Self::ask();
        metrics::Counter::noop()
    }

    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        Self::ask();
        metrics::Gauge::noop()
    }

    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[test]
fn a_recorder_that_hangs_or_panics_holds_up_nobody() {
    hostile_log();
    metrics::set_global_recorder(HostileRecorder).expect("the only one");
    for (fault, name) in [(&HANGS, "hangs"), (&PANICS, "panics")] {
        fault.store(true, Ordering::SeqCst);
        let destination = Destination::from_fn("d", |_: Batch| async { Ok::<(), std::io::Error>(()) });
        let settings = Analytics::builder().plugin(destination).metrics(Duration::from_millis(5));
        // Before the client is there: the first call may hang at once.
        let before = ASKED.load(Ordering::SeqCst);
        let analytics = settings.build().unwrap();
        for _ in 0..3 {
            analytics.track(track("x")).unwrap();
            assert!(analytics.flush_blocking(SOON).is_complete(), "the pipeline does not notice that it {name}");
        }
        eventually("it is asked", || ASKED.load(Ordering::SeqCst) > before);
        let start = Instant::now();
        assert!(analytics.close_blocking(Duration::from_millis(200)).is_complete());
        drop(analytics);
        assert!(start.elapsed() < SOON / 2, "close keeps its deadline while it {name}: {:?}", start.elapsed());
        fault.store(false, Ordering::SeqCst);
    }
}

/// Runs the ignored test `role` in a process of its own. What it printed to standard error.
fn child(role: &str, host: &str) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("child::{role}"), "--ignored", "--nocapture", "--test-threads=1"]);
    let output = command.env(HOST, host).stdout(Stdio::piped()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_without_threads_does_not_panic_and_goes_on_when_there_are_some() {
    let api = TrackingApi::start().unwrap();
    let host = api.url().replace("127.0.0.1", "localhost");
    let (succeeded, printed) = child("has_no_more_threads", &host);
    assert!(succeeded, "the child's own panic ended it: {printed}");
    assert_eq!(printed, "", "nothing is ever printed");
    assert_eq!(api.delivered_ids().len(), 3);
}

/// The work of the children. Never run alone: without a parent there is no server.
#[cfg(target_os = "linux")]
mod child {
    use super::*;
    use std::sync::Arc;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// From now on no thread can be had: there is no room for its stack.
    fn without_threads(work: impl FnOnce()) {
        let before = getrlimit(Resource::As);
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        let now = pages * rustix::param::page_size() as u64;
        setrlimit(Resource::As, Rlimit { current: Some(now + (1 << 20)), maximum: before.maximum }).unwrap();
        assert!(std::thread::Builder::new().spawn(|| {}).is_err(), "the limit holds");
        work();
        setrlimit(Resource::As, before).unwrap();
    }

    #[test]
    #[ignore = "a child of a_client_without_threads_does_not_panic_and_goes_on_when_there_are_some"]
    fn has_no_more_threads() {
        let segment = Segment::new("k").host(std::env::var(HOST).unwrap()).flush_at(1).gzip(true);
        let settings = Analytics::builder().segment(segment.retry(quick().max_retries(1_000)));
        let (told, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counter = failed.clone();
        let settings = settings.on(signal::HttpResponse, move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let analytics = settings.build().unwrap();
        std::panic::set_hook(Box::new(|_| std::process::abort()));
        without_threads(|| {
            for name in ["a", "b", "c"] {
                let told = told.clone();
                let count = move |_: &tracklane::Settlement| {
                    told.fetch_add(1, Ordering::SeqCst);
                };
                analytics.track(track(name).on_delivery(count)).unwrap();
            }
            eventually("attempts are made", || analytics.stats().attempts > 3);
        });
        assert!(analytics.flush_blocking(SOON).is_complete(), "{:?}", analytics.stats());
        eventually("every callback is called", || told.load(Ordering::SeqCst) == 3);
        eventually("listeners are called", || failed.load(Ordering::SeqCst) > 3);
        assert!(analytics.close_blocking(SOON).is_complete());
    }
}
