//! Faults of observers: listeners and callbacks that fail or hang, and user code that sends an event for each event.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};

use tracklane::plugin::{Overflow, after_fn, before_fn, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::{Analytics, Event, Kind, RefusalReason, Track, signal};

use super::destination::beside_segment;
use super::plugin::block_on;
use crate::support::{SOON, Trial, eventually, recorder, with_failures};

#[test]
fn listeners_that_panic_hang_or_send_do_not_disturb_delivery() {
    let mut trial = Trial::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let (counter, (release, hung)) = (heard.clone(), mpsc::channel::<()>());
    let hung = std::sync::Mutex::new(hung);
    trial.analytics.on(signal::Flush, |_| panic!("on purpose"));
    let slow = trial.analytics.on(signal::HttpRequest, move |_| assert!(hung.lock().expect("alone").recv().is_err()));
    trial.analytics.on(signal::Flush, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(trial.send_each(1100), (1100, 0));
    eventually("the others are still called", || heard.load(Ordering::SeqCst) + 100 >= 1100);
    assert!(slow.missed() > 0, "a listener that hangs loses signals of its own, which are counted");
    drop(release);
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 1101, "nothing is sent twice");
    assert_eq!(ended.failures.len(), 0, "no false alarm");
}

#[test]
pub(super) fn a_callback_that_panics_is_contained() {
    let trial = Trial::new();
    let event = Track::new("Fault 999999").user_id("u").on_delivery(|_| panic!("on purpose"));
    trial.analytics.track(event).expect("accepted");
    assert_eq!(trial.settled(), (1, 0));
    trial.api.clear();
    trial.survives();
}

/// The place of the client, for user code that sends events itself.
type Place = Arc<OnceLock<Analytics>>;

/// Sends another event, if the client is there. Counts the loops that were cut.
fn send_again(place: &Place, cut: &AtomicUsize) {
    let Some(analytics) = place.get() else { return };
    if let Err(refused) = analytics.track(Track::new("Again").user_id("u1")) {
        assert_eq!(*refused.reason(), RefusalReason::Loop);
        cut.fetch_add(1, Ordering::SeqCst);
    }
}

/// Registers user code that answers every event with another one, and checks that it ends.
#[track_caller]
fn is_cut(how: &str, register: impl FnOnce(&Analytics, Place, Arc<AtomicUsize>)) {
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    let trial = Trial::new();
    register(&trial.analytics, place.clone(), cut.clone());
    assert!(place.set(trial.analytics.clone()).is_ok());
    trial.analytics.track(Track::new("Once").user_id("u1")).expect("accepted");
    eventually(how, || cut.load(Ordering::SeqCst) == 1);
    trial.flush();
    let stats = trial.assert_books_balance();
    assert_eq!((stats.accepted, stats.refused), (8, 1), "{how}: one led to seven, and the eighth was refused");
    trial.wait_for_failure("the loop is reported", |failure| failure.message.contains("event loop"));
    trial.analytics.close_blocking(SOON);
}

#[test]
fn a_loop_of_events_is_cut() {
    let listens = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Track, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of calls", listens);
    let flushes = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Flush, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of batches", flushes);
    let requests = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::HttpRequest, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of requests", requests);
    is_cut("an after plugin", |analytics, place, cut| {
        block_on(analytics.register(after_fn("again", move |_, _| send_again(&place, &cut)))).expect("a new name");
    });
    is_cut("a before plugin", |analytics, place, cut| {
        let again = before_fn("again", move |_: &mut Event| send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("an enrichment plugin", |analytics, place, cut| {
        let again = enrichment_fn("again", move |_: &mut Event| send_again(&place, &cut)).only([Kind::Track]);
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("a destination", |analytics, place, cut| {
        let again = beside_segment("again", move || send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
}

#[test]
fn a_callback_that_sends_with_a_callback_is_cut() {
    fn send(place: Place, cut: Arc<AtomicUsize>) {
        let Some(analytics) = place.get().cloned() else { return };
        let counter = cut.clone();
        let again = Track::new("Again").user_id("u1").on_delivery(move |_| send(place, cut));
        if analytics.track(again).is_err_and(|refused| *refused.reason() == RefusalReason::Loop) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
    let trial = Trial::new();
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    assert!(place.set(trial.analytics.clone()).is_ok());
    send(place, cut.clone());
    eventually("the loop is cut", || cut.load(Ordering::SeqCst) == 1);
    assert_eq!(trial.assert_books_balance().accepted, 8);
    trial.analytics.close_blocking(SOON);
}

/// Blocks every caller until the other half is dropped.
fn gate() -> (mpsc::Sender<()>, Arc<dyn Fn() + Send + Sync>) {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let wait = move || {
        let _ = held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
    };
    (release, Arc::new(wait))
}

#[test]
fn callbacks_that_block_take_room_until_calls_are_refused() {
    // With `DropOldest`, the same number of events may also wait in front of the destinations.
    for (overflow, most) in [(Overflow::RefuseNew, 500), (Overflow::DropOldest, 1_000)] {
        let (destination, _) = recorder("r");
        let settings = Analytics::builder().plugin(destination).max_queue_size(500).overflow(overflow);
        let analytics = settings.build().unwrap();
        let ((release, wait), called) = (gate(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..50 {
            for _ in 0..100 {
                let (wait, called) = (wait.clone(), called.clone());
                let blocks = move |_: &tracklane::Settlement| {
                    wait();
                    called.fetch_add(1, Ordering::SeqCst);
                };
                let _ = analytics.track(Track::new("x").user_id("u").on_delivery(blocks));
            }
            eventually("they are delivered", || analytics.stats().pending == 0);
        }
        let stats = analytics.stats();
        assert!(stats.accepted <= most, "{overflow:?}: {} callbacks wait, and nothing bounds them", stats.accepted);
        assert_eq!(stats.accepted + stats.refused, 5_000);
        assert_eq!(stats.queued_events, stats.accepted, "{overflow:?}: they take room until their callbacks return");
        let full = analytics.track(Track::new("x").user_id("u")).expect_err("full");
        assert!(full.is_queue_full(), "{full}");
        drop(release);
        eventually("each is called", || called.load(Ordering::SeqCst) as u64 == stats.accepted);
        eventually("the room is free", || analytics.stats().queued_events == 0);
        analytics.track(Track::new("x").user_id("u")).expect("there is room again");
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(called.load(Ordering::SeqCst) as u64, stats.accepted, "each is called once");
    }
}

#[test]
fn callbacks_that_block_are_bounded_in_bytes_too() {
    let (destination, _) = recorder("r");
    let settings = Analytics::builder().plugin(destination).max_queue_size(100_000).max_queue_bytes(1 << 20);
    let analytics = settings.build().unwrap();
    let (release, wait) = gate();
    for _ in 0..20 {
        for _ in 0..20 {
            let wait = wait.clone();
            let event = Track::new("x").user_id("u").property("text", "x".repeat(30_000)).on_delivery(move |_| wait());
            let _ = analytics.track(event);
        }
        eventually("they are delivered", || analytics.stats().pending == 0);
    }
    let stats = analytics.stats();
    assert!(stats.accepted <= 35 && stats.queued_bytes <= 1 << 20, "{stats:?}");
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
}

#[test]
fn a_call_that_is_refused_because_of_callbacks_says_so() {
    let (destination, _) = recorder("r");
    let (settings, failures) = with_failures(Analytics::builder().plugin(destination).max_queue_size(3));
    let analytics = settings.build().unwrap();
    let (release, wait) = gate();
    for _ in 0..3 {
        let wait = wait.clone();
        analytics.track(Track::new("x").user_id("u").on_delivery(move |_| wait())).expect("there is room");
    }
    eventually("they are delivered", || analytics.stats().pending == 0);
    analytics.track(Track::new("x").user_id("u")).expect_err("full");
    let failure = &failures.wait_for(1)[0];
    assert!(failure.message.contains("3 of them wait for their callbacks to return"), "{failure}");
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
}

#[test]
fn listeners_that_hang_leave_delivery_its_threads() {
    let api = tracklane::testing::TrackingApi::start().unwrap();
    // A name, so that it must be looked up.
    let host = api.url().replace("127.0.0.1", "localhost");
    let segment = Segment::new("k").host(host).flush_at(1).gzip(true);
    let segment = segment.http_request_timeout(std::time::Duration::from_secs(2));
    let analytics = Analytics::builder().segment(segment).build().unwrap();
    let (release, wait) = gate();
    for _ in 0..600 {
        let wait = wait.clone();
        analytics.on(signal::Flush, move |_| wait());
    }
    let told = Arc::new(AtomicUsize::new(0));
    for _ in 0..5 {
        let told = told.clone();
        let count = move |_: &tracklane::Settlement| {
            told.fetch_add(1, Ordering::SeqCst);
        };
        analytics.track(Track::new("x").user_id("u").on_delivery(count)).expect("accepted");
        assert!(analytics.flush_blocking(SOON).is_complete(), "{:?}", analytics.stats());
    }
    eventually("callbacks have threads of their own", || told.load(Ordering::SeqCst) == 5);
    assert_eq!(api.delivered_ids().len(), 5);
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
}

#[test]
fn flush_waits_for_callbacks_and_so_does_every_other() {
    let (destination, _) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let (release, wait) = gate();
    let returned = Arc::new(AtomicUsize::new(0));
    let counter = returned.clone();
    let blocks = move |_: &tracklane::Settlement| {
        wait();
        counter.fetch_add(1, Ordering::SeqCst);
    };
    analytics.track(Track::new("x").user_id("u").on_delivery(blocks)).expect("accepted");
    eventually("it is delivered", || analytics.stats().pending == 0);
    let start = std::time::Instant::now();
    let short = std::time::Duration::from_millis(50);
    let report = analytics.flush_blocking(short);
    assert!(report.is_complete(), "what is delivered is delivered");
    assert_eq!(report.callbacks, 1, "it says that the callback has not returned");
    assert!(start.elapsed() >= short, "it waits for the callback");
    assert!(start.elapsed() < SOON / 2, "at most until its deadline");
    let flushes: Vec<_> = (0..3)
        .map(|_| {
            let (analytics, returned) = (analytics.clone(), returned.clone());
            std::thread::spawn(move || {
                assert!(analytics.flush_blocking(SOON).is_complete());
                returned.load(Ordering::SeqCst)
            })
        })
        .collect();
    // They wait now, or have nothing to wait for.
    std::thread::sleep(short);
    drop(release);
    for flush in flushes {
        assert_eq!(flush.join().expect("no panic"), 1, "a flush returned before the callback had");
    }
    assert!(analytics.close_blocking(SOON).is_complete());
}

/// Bounds the queue.
type Set = fn(tracklane::Builder) -> tracklane::Builder;

#[test]
fn after_plugins_that_are_slow_keep_no_more_than_the_settings_say() {
    let small = |builder: tracklane::Builder| builder.max_queue_size(50);
    let few_bytes = |builder: tracklane::Builder| builder.max_queue_size(50_000).max_queue_bytes(1 << 20);
    let bounds: [(&str, Set, usize); 2] = [("in events", small, 51), ("in bytes", few_bytes, 40)];
    for (bound, set, most) in bounds {
        let (destination, _) = recorder("r");
        let (go, gate) = tokio::sync::watch::channel(false);
        let seen = Arc::new(AtomicUsize::new(0));
        let slow = tracklane::plugin::after(Slow { gate, seen: seen.clone() });
        let clock = tracklane::testing::ManualClock::new();
        let settings = set(Analytics::builder().plugin(destination).plugin(slow).clock(clock));
        let (settings, failures) = with_failures(settings);
        let analytics = settings.build().unwrap();
        for _ in 0..30 {
            for _ in 0..20 {
                let text = "x".repeat(30_000);
                let _ = analytics.track(Track::new("x").user_id("u").property("text", text));
            }
            eventually("they are delivered", || analytics.stats().pending == 0);
        }
        let accepted = analytics.stats().accepted;
        assert!(accepted > 2 * most as u64, "the after plugin costs nobody a call: {accepted}");
        let said = failures.wait_for(1)[0].message.clone();
        assert!(said.contains("after plugins are too slow"), "{said}");
        go.send_replace(true);
        assert!(analytics.close_blocking(SOON).is_complete());
        let seen = seen.load(Ordering::SeqCst);
        assert!(seen <= most, "bounded {bound}: {seen} waited for the after plugin, at most {most} may");
        assert!(seen >= 20, "bounded {bound}: {seen}");
    }
}

/// Waits until its gate is open.
struct Slow {
    gate: tokio::sync::watch::Receiver<bool>,
    seen: Arc<AtomicUsize>,
}

impl tracklane::plugin::Plugin for Slow {
    fn name(&self) -> &str {
        "slow"
    }
}

impl tracklane::plugin::After for Slow {
    async fn after(&self, _: &tracklane::event::Message, _: &tracklane::Settlement) -> Result<(), tracklane::BoxError> {
        self.gate.clone().wait_for(|open| *open).await?;
        self.seen.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
