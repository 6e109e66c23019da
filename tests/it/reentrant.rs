//! No user code runs under a lock of the client: wakers that run their task at once, wakers that panic, and errors that
//! use the client in their drop.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tower_service::Service;
use tracklane::plugin::{Answer, Batch, Destination, Verdict, after_fn, enrichment_fn};
use tracklane::{Analytics, Event, signal};

use crate::support::{SOON, eventually, quick_retries, recorder, track};

/// A client that is not dropped where a test fails: if a lock is held for ever, its drop would hang the whole run.
type Client = ManuallyDrop<Analytics>;

fn client(builder: tracklane::Builder) -> Client {
    ManuallyDrop::new(builder.build().unwrap())
}

fn close(client: Client) {
    assert!(client.close_blocking(SOON).is_complete());
    drop(ManuallyDrop::into_inner(client));
}

/// Runs a task inside of `wake()`, as simple executors do.
struct Inline(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let Some(mut task) = self.0.lock().unwrap().take() else { return };
        let waker = Waker::from(self.clone());
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.0.lock().unwrap() = Some(task);
        }
    }
}

/// Begins the task. Tells when it has ended.
fn run_inline(task: impl Future<Output = ()> + Send + 'static) -> Receiver<()> {
    let (done, ended) = mpsc::channel();
    let task = async move {
        task.await;
        let _ = done.send(());
    };
    Arc::new(Inline(Mutex::new(Some(Box::pin(task))))).wake();
    ended
}

/// Everything that a task may do with the client when it is woken.
fn use_all(client: &Analytics) {
    let stats = client.stats();
    assert_eq!(stats.accepted, stats.delivered + stats.dropped.total() + stats.pending);
    let _ = client.track(track("from the waker"));
    client.on(signal::Flush, |_| {}).unsubscribe();
    client.flush_blocking(Duration::from_millis(1));
}

#[track_caller]
fn ends(what: &str, ended: &Receiver<()>) {
    assert!(ended.recv_timeout(SOON).is_ok(), "{what}: the task that is run by its waker hangs in the client");
}

#[test]
fn a_task_that_its_waker_runs_may_use_the_client() {
    let (destination, _) = recorder("r");
    let client = client(Analytics::builder().plugin(destination));

    let (receipt, own) = (client.send_with_receipt(track("x")).unwrap(), (*client).clone());
    let ended = run_inline(async move {
        assert!(receipt.await.is_delivered());
        assert!(own.stats().delivered >= 1, "it is counted before the receipt says so");
        // On the client's own thread nothing moves meanwhile, but nothing is pending either.
        assert!(own.flush_blocking(SOON).is_complete());
        use_all(&own);
    });
    ends("a receipt", &ended);

    let own = (*client).clone();
    let ended = run_inline(async move {
        own.register(enrichment_fn("e", |_: &mut Event| {})).await.unwrap();
        use_all(&own);
        own.deregister("e").await.unwrap();
        use_all(&own);
        assert!(own.flush(SOON).await.is_complete());
        use_all(&own);
    });
    ends("register, deregister and flush", &ended);
    close(client);
}

#[test]
fn a_task_that_its_waker_runs_when_there_is_room_may_use_the_client() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let destination = Destination::from_fn("gated", move |_: Batch| {
        let mut gate = gate.clone();
        async move { gate.wait_for(|open| *open).await.map(|_| ()) }
    });
    let client = client(Analytics::builder().plugin(destination).max_queue_size(1));
    client.track(track("fills the queue")).unwrap();
    let own = (*client).clone();
    let ended = run_inline(async move {
        own.send_when_ready(track("x")).await.unwrap();
        use_all(&own);
    });
    go.send_replace(true);
    ends("send_when_ready", &ended);
    close(client);
}

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("on purpose: the waker");
    }
}

#[test]
fn a_waker_that_panics_costs_nothing() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let destination = Destination::from_fn("gated", move |_: Batch| {
        let mut gate = gate.clone();
        async move { gate.wait_for(|open| *open).await.map(|_| ()) }
    });
    let client = client(Analytics::builder().plugin(destination).max_queue_size(2));
    let waker = Waker::from(Arc::new(Panics));
    let mut cx = Context::from_waker(&waker);
    let mut receipt = client.send_with_receipt(track("a")).unwrap();
    assert!(Pin::new(&mut receipt).poll(&mut cx).is_pending());
    client.track(track("b")).unwrap();
    let mut room = Box::pin(client.send_when_ready(track("waits for room")));
    assert!(room.as_mut().poll(&mut cx).is_pending());
    let mut registered = Box::pin(client.register(after_fn("late", |_, _| {})));
    let mut answered = registered.as_mut().poll(&mut cx).is_ready();
    go.send_replace(true);
    assert!(client.flush_blocking(SOON).is_complete(), "the lane goes on");
    eventually("it is registered", || {
        answered = answered || registered.as_mut().poll(&mut cx).is_ready();
        answered
    });
    drop((room, registered));
    for name in ["c", "d", "e"] {
        eventually("there is room", || client.stats().queued_events == 0);
        client.track(track(name)).unwrap();
    }
    assert!(client.flush_blocking(SOON).is_complete());
    assert!(receipt.wait().is_delivered());
    let stats = client.stats();
    assert_eq!((stats.dropped.total(), stats.pending, stats.queued_events), (0, 0, 0), "{stats:?}");
    assert_eq!(stats.delivered, stats.accepted);
    close(client);
}

/// The pipeline is ready when the plugins have loaded. A waker that waits for that may panic.
#[test]
fn a_waker_that_panics_when_the_plugins_have_loaded_costs_nothing() {
    struct Slow(Mutex<Option<tokio::sync::oneshot::Receiver<()>>>);
    impl tracklane::plugin::Plugin for Slow {
        fn name(&self) -> &str {
            "slow"
        }
        async fn load(&self, _: &tracklane::plugin::Host) -> Result<(), tracklane::BoxError> {
            let loaded = self.0.lock().unwrap().take().unwrap();
            Ok(loaded.await?)
        }
    }
    let (load, loading) = tokio::sync::oneshot::channel();
    let (destination, arrived) = recorder("r");
    let builder = Analytics::builder().plugin(destination);
    let client = client(builder.plugin(tracklane::plugin::utility(Slow(Mutex::new(Some(loading))))));
    let waker = Waker::from(Arc::new(Panics));
    let mut pipeline = client.pipeline();
    assert!(pipeline.poll_ready(&mut Context::from_waker(&waker)).is_pending());
    load.send(()).unwrap();
    client.track(track("a")).unwrap();
    assert!(client.flush_blocking(SOON).is_complete(), "the worker goes on");
    assert_eq!(arrived.names(), ["a"]);
    drop(pipeline);
    close(client);
}

/// The place where an error finds the client.
type Place = Arc<OnceLock<Analytics>>;

/// An error that uses the client while it is dropped.
#[derive(Debug)]
struct Uses(Place, Sender<()>);

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of paper")
    }
}

impl std::error::Error for Uses {}

impl Drop for Uses {
    fn drop(&mut self) {
        if let Some(client) = self.0.get() {
            let _ = client.stats();
            client.on(signal::Flush, |_| {}).unsubscribe();
            let _ = client.track(track("from a drop"));
        }
        let _ = self.1.send(());
    }
}

/// A destination whose first attempts fail with an error that uses the client, by `answer`.
fn fails_first(failures: usize, place: &Place, dropped: &Sender<()>, verdict: Verdict) -> Destination {
    let (mut left, place, dropped) = (failures, place.clone(), dropped.clone());
    Destination::from_fn("d", move |_: Batch| {
        let fails = left > 0;
        left = left.saturating_sub(1);
        let answer =
            if fails { Answer::new(verdict).with_error(Uses(place.clone(), dropped.clone())) } else { ().into() };
        async move { Ok::<_, std::io::Error>(answer) }
    })
    .retry(quick_retries(5))
}

#[test]
fn an_error_may_use_the_client_while_it_is_dropped() {
    // The error that a lane remembers, with events that are delivered at last or dropped.
    for (failures, verdict) in [(1, Verdict::Retry), (3, Verdict::Retry), (1, Verdict::Reject), (1, Verdict::Delivered)]
    {
        let (place, (dropped, drops)) = (Place::default(), mpsc::channel());
        let client = client(Analytics::builder().plugin(fails_first(failures, &place, &dropped, verdict)));
        assert!(place.set((*client).clone()).is_ok());
        client.track(track("x")).unwrap();
        for _ in 0..failures {
            assert!(drops.recv_timeout(SOON).is_ok(), "{verdict:?}: an error that is dropped hangs in the client");
        }
        assert_eq!(client.flush_blocking(SOON).pending, 0);
        client.close_blocking(SOON);
        std::mem::forget(place);
    }
}

#[test]
fn a_signal_that_a_listener_never_gets_may_use_the_client_while_it_is_dropped() {
    for unsubscribes in [false, true] {
        let (place, (dropped, drops)) = (Place::default(), mpsc::channel());
        let failures = if unsubscribes { 3 } else { 1_500 };
        let destination = fails_first(failures, &place, &dropped, Verdict::Reject);
        let client = client(Analytics::builder().plugin(destination).max_queue_size(100_000));
        assert!(place.set((*client).clone()).is_ok());
        let (release, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let slow = client.on(signal::Error, move |_| {
            let _ = held.lock().unwrap().recv();
        });
        for _ in 0..failures {
            client.track(track("x")).unwrap();
        }
        eventually("all are dropped", || client.stats().dropped.total() >= failures as u64);
        if unsubscribes {
            slow.unsubscribe();
            // One is in the listener's hands.
            assert!(drops.recv_timeout(SOON).is_ok(), "unsubscribe hangs");
        } else {
            assert!(drops.recv_timeout(SOON).is_ok(), "the oldest signal hangs in the emitter");
            assert!(slow.missed() > 0);
        }
        drop(release);
        client.close_blocking(SOON);
        std::mem::forget(place);
    }
}
