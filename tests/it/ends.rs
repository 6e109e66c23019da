//! The end of a client, case by case: several closes, a close that nobody waits for, a destination during its
//! deregistration, plugins that hang even in their drop, and more events than a close can read in time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Batching, Destination, Plugin, QueueLimits, enrichment_fn, utility};
use tracklane::{Analytics, CloseReport, DropReason, Event, signal};

use crate::support::{Log, SOON, eventually, recorder, track};

const SHORT: Duration = Duration::from_millis(100);

/// A destination that never answers.
fn hung(name: &str) -> Destination {
    Destination::from_fn(name, |_: Batch| std::future::pending::<Result<(), std::io::Error>>())
}

fn ids(unsent: &tracklane::Unsent) -> Vec<String> {
    unsent.iter().map(|event| event.message_id().into_owned()).collect()
}

/// Polls the future once and then drops it. Returns whether it was still pending: a close may have ended by then, on a
/// thread of its own.
fn begin_and_forget<T>(future: impl Future<Output = T>) -> bool {
    Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn send_with_callbacks(client: &Analytics, events: usize) -> Arc<AtomicUsize> {
    let called = Arc::new(AtomicUsize::new(0));
    for number in 0..events {
        let called = called.clone();
        let event = track("x").message_id(number.to_string()).on_delivery(move |_| {
            called.fetch_add(1, Ordering::SeqCst);
        });
        client.track(event).unwrap();
    }
    called
}

#[test]
fn what_a_destination_has_while_it_is_deregistered_is_handed_back() {
    let client = Analytics::builder().plugin(hung("d")).build().unwrap();
    let called = send_with_callbacks(&client, 1_000);
    eventually("the destination has them", || client.stats().destinations.first().is_some_and(|d| d.pending == 1_000));
    begin_and_forget(client.deregister("d"));
    eventually("it drains", || client.stats().destinations.is_empty());
    let start = Instant::now();
    let closed = client.close_blocking(SHORT);
    assert_eq!((closed.pending, closed.unsent.len()), (1_000, 1_000));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    eventually("every callback runs", || called.load(Ordering::SeqCst) == 1_000);
    assert_eq!(client.stats().dropped.get(DropReason::Closed), 1_000);
}

#[test]
fn what_a_destination_has_while_it_is_deregistered_ends_with_the_drop() {
    let client = Analytics::builder().plugin(hung("d")).build().unwrap();
    let called = send_with_callbacks(&client, 100);
    eventually("the destination has them", || client.stats().destinations.first().is_some_and(|d| d.pending == 100));
    begin_and_forget(client.deregister("d"));
    eventually("it drains", || client.stats().destinations.is_empty());
    drop(client);
    eventually("every callback runs", || called.load(Ordering::SeqCst) == 100);
}

#[test]
fn after_a_close_that_nobody_waits_for_the_drop_still_gives_its_time() {
    let arrived = Log::new();
    let log = arrived.clone();
    let slow = Destination::from_fn("slow", move |batch: Batch| {
        let log = log.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            batch.messages().for_each(|message| log.push(message.message_id().into_owned()));
            Ok::<(), std::io::Error>(())
        }
    });
    let slow = slow.batching(Batching::every(100, Duration::from_millis(1)));
    let client = Analytics::builder().plugin(slow).build().unwrap();
    let called = send_with_callbacks(&client, 200);
    begin_and_forget(client.close(Duration::from_secs(10)));
    drop(client);
    assert_eq!((arrived.len(), called.load(Ordering::SeqCst)), (200, 200));
}

#[test]
fn what_a_close_that_nobody_waits_for_has_taken_back_the_next_one_hands_back() {
    let client = Analytics::builder().plugin(hung("d")).build().unwrap();
    (0..10).for_each(|id| client.track(track("x").message_id(id.to_string())).unwrap());
    if !begin_and_forget(client.close(Duration::ZERO)) {
        return;
    }
    eventually("it has taken them back", || client.stats().pending == 0);
    let closed = client.close_blocking(SHORT);
    assert_eq!((closed.pending, closed.unsent.len()), (10, 10));
}

#[test]
fn a_second_close_waits_for_the_same_end() {
    let (unloaded, called) = (Log::new(), Log::new());
    let (destination, _) = recorder("r");
    let settings = Analytics::builder().plugin(destination).plugin(utility(Unloads(unloaded.clone())));
    let client = settings.build().unwrap();
    for _ in 0..5 {
        let called = called.clone();
        let event = track("x").on_delivery(move |_| {
            thread::sleep(Duration::from_millis(300));
            called.push(());
        });
        client.track(event).unwrap();
    }
    begin_and_forget(client.close(Duration::from_secs(10)));
    eventually("it is closed", || client.track(track("x")).is_err());
    let report = client.close_blocking(Duration::from_secs(10));
    assert_eq!((called.len(), unloaded.len()), (5, 1), "callbacks and unloading belong to the end that it waits for");
    assert!(report.delivered >= 5 && report.pending == 0, "{report:?}");
}

#[test]
fn of_two_closes_one_hands_back() {
    for _ in 0..10 {
        let client = Analytics::builder().plugin(hung("one")).plugin(hung("other")).build().unwrap();
        (0..50).for_each(|id| client.track(track("x").message_id(id.to_string())).unwrap());
        eventually("both have them", || {
            client.stats().destinations.iter().filter(|one| one.pending == 50).count() == 2
        });
        let reports = thread::scope(|scope| {
            let closes = [0, 1, 1].map(|millis| {
                scope.spawn({
                    let client = &client;
                    move || client.close_blocking(Duration::from_millis(millis))
                })
            });
            closes.map(|close| close.join().unwrap())
        });
        let mut handed_back: Vec<String> = reports.iter().flat_map(|report| ids(&report.unsent)).collect();
        assert_eq!(handed_back.len(), 50, "{reports:?}");
        handed_back.sort();
        handed_back.dedup();
        assert_eq!(handed_back.len(), 50, "none twice");
        let all = |report: &tracklane::CloseReport| report.delivered + report.dropped + report.failed + report.pending;
        assert!(reports.iter().all(|report| all(report) == 50), "{reports:?}");
    }
}

/// Like the waker of an executor that runs the whole task in `wake`.
struct SlowWaker(mpsc::Sender<()>);

impl std::task::Wake for SlowWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.send(()).unwrap();
        thread::sleep(Duration::from_secs(3));
    }
}

#[test]
fn a_close_keeps_its_deadline_while_another_gives_up() {
    let client = Analytics::builder().plugin(hung("d")).build().unwrap();
    let mut receipt = client.send_with_receipt(track("x")).unwrap();
    let (woken, wakes) = mpsc::channel();
    let waker = std::task::Waker::from(std::sync::Arc::new(SlowWaker(woken)));
    assert!(std::pin::Pin::new(&mut receipt).poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    thread::scope(|scope| {
        let gives_up = scope.spawn(|| client.close_blocking(Duration::ZERO));
        wakes.recv_timeout(SOON).expect("the first close tells the end of the event");
        let start = Instant::now();
        let second = client.close_blocking(SHORT);
        assert!(start.elapsed() < Duration::from_secs(2), "it waited for the other: {:?}", start.elapsed());
        assert_eq!(second.delivered + second.dropped + second.failed + second.pending, 1, "{second:?}");
        assert_eq!(gives_up.join().unwrap().unsent.len() + second.unsent.len(), 1, "one of them hands back");
    });
}

/// Hangs until it is let go, as foreign code may.
struct HungWaker {
    called: mpsc::Sender<()>,
    released: Mutex<mpsc::Receiver<()>>,
}

impl std::task::Wake for HungWaker {
    fn wake(self: Arc<Self>) {
        self.called.send(()).unwrap();
        let _ = self.released.lock().unwrap().recv_timeout(SOON);
    }
}

/// Returns the waker, a receiver that learns of the call, and a sender that releases it.
fn hung_waker() -> (Waker, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let ((called, calls), (release, released)) = (mpsc::channel(), mpsc::channel());
    (Waker::from(Arc::new(HungWaker { called, released: Mutex::new(released) })), calls, release)
}

#[test]
fn a_close_that_gives_up_keeps_its_deadline_though_a_waker_hangs() {
    let client = Analytics::builder().plugin(hung("d")).build().unwrap();
    let (mut hangs, mut other) =
        (client.send_with_receipt(track("x")).unwrap(), client.send_with_receipt(track("y")).unwrap());
    let called = send_with_callbacks(&client, 3_000);
    let (waker, calls, release) = hung_waker();
    let mut cx = Context::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut hangs).poll(&mut cx).is_pending());
    let start = Instant::now();
    let closed = client.close_blocking(SHORT);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "the close waited for the waker: {took:?}");
    assert_eq!((closed.pending, closed.unsent.len()), (3_002, 3_002));
    calls.recv_timeout(SOON).expect("the waker is called");
    eventually("every event is counted", || client.stats().dropped.get(DropReason::Closed) == 3_002);
    assert!(std::pin::Pin::new(&mut other).poll(&mut Context::from_waker(Waker::noop())).is_ready(), "others are told");
    let took = time_of_drop(client);
    assert!(took < Duration::from_secs(4), "drop: {took:?}");
    release.send(()).unwrap();
    eventually("every callback runs", || called.load(Ordering::SeqCst) == 3_000);
}

#[test]
fn a_close_keeps_its_deadline_though_the_waker_of_a_call_that_waits_for_room_hangs() {
    let client = Analytics::builder().plugin(hung("d")).max_queue_size(1).build().unwrap();
    client.track(track("x")).unwrap();
    let (waker, calls, _release) = hung_waker();
    let mut waits = Box::pin(client.send_when_ready(track("y")));
    assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let start = Instant::now();
    let closed = client.close_blocking(SHORT);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "the close waited for the waker: {took:?}");
    assert_eq!(closed.unsent.len(), 1);
    calls.recv_timeout(SOON).expect("the waker is called");
    assert!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(), "it is refused");
}

struct Unloads(Log<()>);

impl Plugin for Unloads {
    fn name(&self) -> &str {
        "unloads"
    }

    async fn unload(&self) -> Result<(), tracklane::BoxError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.0.push(());
        Ok(())
    }
}

/// Hangs when it is dropped, until it is let go.
struct Stubborn {
    name: &'static str,
    released: Mutex<mpsc::Receiver<()>>,
}

impl Plugin for Stubborn {
    fn name(&self) -> &str {
        self.name
    }
}

impl Stubborn {
    /// Lets a closure own the value.
    fn is_there(&self) {}
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        let _ = self.released.get_mut().unwrap().recv_timeout(SOON);
    }
}

fn stubborn(name: &'static str) -> (Stubborn, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    (Stubborn { name, released: Mutex::new(released) }, release)
}

/// Returns the duration of the drop.
fn time_of_drop<T>(value: T) -> Duration {
    let start = Instant::now();
    drop(value);
    start.elapsed()
}

#[test]
fn a_drop_takes_two_seconds_at_most_whatever_destructors_do() {
    let limit = Duration::from_secs(2)..Duration::from_secs(4);
    let (plugin, _release) = stubborn("utility");
    let client = Analytics::builder().plugin(utility(plugin)).build().unwrap();
    client.close_blocking(SHORT);
    let took = time_of_drop(client);
    assert!(limit.contains(&took), "a plugin's destructor: {took:?}");

    let (held, _release) = stubborn("closure");
    let client = Analytics::builder().plugin(enrichment_fn("e", move |_: &mut Event| held.is_there())).build().unwrap();
    let took = time_of_drop(client);
    assert!(limit.contains(&took), "a closure's destructor: {took:?}");

    let (held, _release) = stubborn("listener");
    let client = Analytics::builder().build().unwrap();
    client.on(signal::Error, move |_| held.is_there());
    let took = time_of_drop(client);
    assert!(took < limit.end, "a listener's destructor: {took:?}");

    let (held, _release) = stubborn("destination");
    let destination = Destination::from_fn("d", move |_: Batch| {
        held.is_there();
        async { Ok::<(), std::io::Error>(()) }
    });
    let client = Analytics::builder().plugin(destination).build().unwrap();
    let took = time_of_drop(client);
    assert!(took < limit.end, "a destination's destructor: {took:?}");
}

#[test]
fn a_pipeline_that_outlives_its_client_drops_no_plugin_where_it_is_dropped() {
    let (plugin, _release) = stubborn("utility");
    let client = Analytics::builder().plugin(utility(plugin)).build().unwrap();
    let pipeline = client.pipeline();
    drop(client);
    assert!(time_of_drop(pipeline) < Duration::from_secs(1));
}

#[test]
fn a_drop_waits_for_destructors_that_end() {
    let dropped = Log::new();
    struct Tells(Log<()>);
    impl Plugin for Tells {
        fn name(&self) -> &str {
            "tells"
        }
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(50));
            self.0.push(());
        }
    }
    let client = Analytics::builder().plugin(utility(Tells(dropped.clone()))).build().unwrap();
    drop(client);
    assert_eq!(dropped.len(), 1);
}

/// A client with so many events that its one destination never takes.
fn full_client(events: usize) -> Analytics {
    let hung = hung("d").queue(QueueLimits::new(events, 1 << 40));
    let settings = Analytics::builder().plugin(hung).max_queue_size(events);
    let client = settings.max_queue_bytes(1 << 40).build().unwrap();
    (0..events).for_each(|_| client.track(track("x")).unwrap());
    client
}

/// All but the one that the pipeline may be working on at the moment. That one is counted when it returns.
fn are_handed_back(closed: &CloseReport, events: usize) -> bool {
    (events - 1..=events).contains(&closed.unsent.len())
}

#[test]
fn a_deadline_is_kept_however_much_is_queued() {
    const EVENTS: usize = 300_000;
    // Reading so many events takes several times as long.
    let limit = Duration::from_secs(6);
    let client = full_client(EVENTS);
    let start = Instant::now();
    let closed = client.close_blocking(SHORT);
    assert!(start.elapsed() < limit, "close: {:?}", start.elapsed());
    assert_eq!((closed.pending, closed.unsent.iter().len()), (EVENTS as u64, closed.unsent.len()));
    assert!(are_handed_back(&closed, EVENTS), "{} of {EVENTS} are handed back", closed.unsent.len());
    let first = closed.unsent.iter().next().unwrap();
    assert_eq!(closed.unsent.iter().next().unwrap().message_id(), first.message_id(), "an id is made once");
    let took = time_of_drop(full_client(EVENTS));
    assert!(took < Duration::from_secs(2) + limit, "drop: {took:?}");
}

/// `TRACKLANE_QUEUED` is the number of events (docs/LONG_RUNS.md). Some of them are with the destination when the time is
/// over, and some still in front.
#[test]
fn in_a_release_build_a_deadline_is_kept_to_a_quarter_of_a_second() {
    let queued = std::env::var("TRACKLANE_QUEUED").ok().and_then(|events| events.parse().ok());
    let (events, late) = match queued {
        Some(events) => (events, Duration::from_millis(250)),
        None => (20_000, Duration::from_secs(2)),
    };
    for worked_off in [false, true] {
        let limit = Duration::from_millis(500);
        let filled = || {
            let client = full_client(events);
            let with_destination = || client.stats().destinations.first().map_or(0, |d| d.accepted as usize);
            while worked_off && with_destination() < events {
                thread::sleep(Duration::from_millis(1));
            }
            client
        };
        let client = filled();
        let start = Instant::now();
        let closed = client.close_blocking(limit);
        let took = start.elapsed();
        println!("close(500 ms), {events} events, all with the destination: {worked_off}: {took:?}");
        assert_eq!(closed.pending, events as u64);
        let all = if worked_off { closed.unsent.len() == events } else { are_handed_back(&closed, events) };
        assert!(all, "{} of {events} are handed back", closed.unsent.len());
        assert!(took < limit + late, "close: {took:?}");
        eventually("all are counted", || client.stats().dropped.get(DropReason::Closed) == events as u64);
        let took = time_of_drop(filled());
        println!("drop, {events} events: {took:?}");
        assert!(took < Duration::from_secs(2) + late, "drop: {took:?}");
    }
}

#[test]
fn an_event_that_is_driven_by_hand_and_let_go_is_counted_as_cancelled() {
    struct Never;
    impl Plugin for Never {
        fn name(&self) -> &str {
            "never"
        }
    }
    impl tracklane::plugin::Transform for Never {
        async fn transform(&self, _: &mut Event) -> Result<tracklane::plugin::Flow, tracklane::BoxError> {
            std::future::pending().await
        }
    }
    let (destination, _) = recorder("r");
    let plugin = tracklane::plugin::enrichment(Never);
    let client = Analytics::builder().plugin(destination).plugin(plugin).build().unwrap();
    let by_hand = tower::ServiceExt::oneshot(client.pipeline(), track("x").into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut by_hand = Box::pin(by_hand);
        std::future::poll_fn(|cx| {
            let _ = by_hand.as_mut().poll(cx);
            if client.stats().accepted == 1 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    });
    let stats = client.stats();
    assert_eq!((stats.dropped.get(DropReason::Cancelled), stats.dropped.total(), stats.pending), (1, 1, 0));
    assert!(!DropReason::Cancelled.is_deliberate());
}
