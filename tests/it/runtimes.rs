//! Where a client can live: in plain threads, in every kind of runtime, and in the host's own runtime.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tracklane::plugin::{Batch, Destination};
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Outcome, RegisterError};

use crate::support::{SOON, api, client, track};

fn multi_thread() -> Runtime {
    RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    RuntimeBuilder::new_current_thread().enable_all().build().unwrap()
}

/// Calls, flushes, registers and closes, as async code does.
async fn use_it(analytics: &Analytics) {
    analytics.register(tracklane::plugin::enrichment_fn("e", |_: &mut tracklane::Event| ())).await.unwrap();
    analytics.track(track("1")).unwrap();
    assert!(analytics.flush(SOON).await.is_complete());
    let (one, other) =
        (analytics.send_with_receipt(track("2")).unwrap(), analytics.send_with_receipt(track("3")).unwrap());
    let (flushed, one, other) = tokio::join!(analytics.flush(SOON), one, other);
    assert!(flushed.is_complete() && one.is_delivered() && other.is_delivered());
    analytics.deregister("e").await.unwrap();
    analytics.track(track("4")).unwrap();
    assert!(analytics.close(SOON).await.is_complete());
}

/// The same, as code does that cannot await.
fn use_it_blocking(analytics: &Analytics) {
    analytics.track(track("1")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    for number in 2..=4 {
        analytics.track(track(&number.to_string())).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
}

fn four_arrived(api: &TrackingApi) {
    assert_eq!(api.events().len(), 4);
}

#[test]
fn plain_threads() {
    let api = api();
    use_it_blocking(&client(&api).build().unwrap());
    four_arrived(&api);
}

#[test]
fn runtimes_async_and_blocking() {
    for runtime in [multi_thread(), current_thread()] {
        let one = api();
        runtime.block_on(async { use_it(&client(&one).build().unwrap()).await });
        four_arrived(&one);
        let other = api();
        runtime.block_on(async { use_it_blocking(&client(&other).build().unwrap()) });
        four_arrived(&other);
    }
}

#[test]
fn the_host_s_runtime_async() {
    for runtime in [multi_thread(), current_thread()] {
        let api = api();
        let handle = runtime.handle().clone();
        runtime.block_on(async { use_it(&client(&api).runtime(handle).build().unwrap()).await });
        four_arrived(&api);
    }
}

#[test]
fn the_host_s_multi_thread_runtime_blocking() {
    let (api, runtime) = (api(), multi_thread());
    use_it_blocking(&client(&api).runtime(runtime.handle().clone()).build().unwrap());
    four_arrived(&api);
}

#[test]
fn a_blocking_flush_that_blocks_its_own_pipeline_keeps_its_deadline() {
    let (api, runtime) = (api(), current_thread());
    runtime.block_on(async {
        let analytics = client(&api).runtime(runtime.handle().clone()).build().unwrap();
        analytics.track(track("x")).unwrap();
        let start = Instant::now();
        assert_eq!(analytics.flush_blocking(Duration::from_millis(50)).pending, 1);
        assert!(start.elapsed() < SOON);
        assert!(analytics.close(SOON).await.is_complete());
    });
}

#[test]
fn a_client_dropped_in_a_runtime_delivers() {
    for runtime in [multi_thread(), current_thread()] {
        let api = api();
        runtime.block_on(async {
            let analytics = client(&api).build().unwrap();
            analytics.track(track("x")).unwrap();
        });
        assert_eq!(api.events().len(), 1, "its own thread goes on while this one waits");
    }
    let (api, runtime) = (api(), multi_thread());
    runtime.block_on(async {
        let analytics = client(&api).runtime(runtime.handle().clone()).build().unwrap();
        analytics.track(track("x")).unwrap();
    });
    assert_eq!(api.wait_for_events(1, SOON).len(), 1, "the host's runtime delivers after the drop");
}

#[test]
fn events_survive_the_runtime_that_they_were_sent_from() {
    let api = api();
    api.set_default(Reply::ok().delay(Duration::from_millis(50)));
    let analytics = client(&api).build().unwrap();
    let runtime = multi_thread();
    runtime.block_on(async { analytics.track(track("x")).unwrap() });
    runtime.shutdown_background();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.events().len(), 1);
}

#[test]
fn when_the_host_s_runtime_is_gone_nothing_hangs_and_nothing_is_called_delivered() {
    let (analytics, arrived, runtime) = client_on_a_runtime();
    let (told, ends) = std::sync::mpsc::channel();
    let watched = track("2").message_id("m").on_delivery(move |end| told.send(end.outcome).unwrap());
    let receipt = analytics.send_with_receipt(watched).unwrap();
    drop(runtime);

    assert_eq!(receipt.wait().outcome, Outcome::Dropped(DropReason::Closed), "it does not wait for ever");
    let callback = ends.recv_timeout(SOON);
    assert_eq!(callback, Ok(Outcome::Dropped(DropReason::Closed)), "callbacks have threads of their own");
    let late = current_thread();
    let flushed = late.block_on(analytics.flush(SOON));
    assert_eq!((flushed.delivered, flushed.pending, flushed.is_complete()), (0, 1, false));
    let closed = late.block_on(analytics.close(SOON));
    assert_eq!((closed.pending, closed.is_complete()), (1, false));
    assert_eq!(closed.unsent.iter().next().unwrap().message_id(), "m");
    assert_eq!(arrived.len(), 1);
}

/// A client on a runtime of the host that has delivered one event, and delivers no more.
fn client_on_a_runtime() -> (Analytics, crate::support::Arrived, Runtime) {
    let (arrived, runtime) = (crate::support::Arrived::new(), multi_thread());
    let log = arrived.clone();
    let destination = Destination::from_fn("r", move |batch: Batch| {
        let hangs = log.len() > 0;
        if !hangs {
            log.keep(&batch);
        }
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<(), std::io::Error>(())
        }
    });
    let settings = Analytics::builder().plugin(destination).runtime(runtime.handle().clone());
    let analytics = settings.build().unwrap();
    analytics.track(track("1")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    (analytics, arrived, runtime)
}

#[test]
fn on_a_runtime_that_has_ended_every_call_is_refused_and_every_wait_ends() {
    let (analytics, _arrived, runtime) = client_on_a_runtime();
    let waits = track("waits");
    drop(runtime);
    let (late, start) = (current_thread(), Instant::now());
    assert!(analytics.track(track("x")).unwrap_err().is_runtime_ended());
    assert!(analytics.send_with_receipt(track("x")).unwrap_err().is_runtime_ended());
    assert!(late.block_on(analytics.send_when_ready(waits)).unwrap_err().is_runtime_ended());
    let by_hand = late.block_on(tower::ServiceExt::oneshot(analytics.pipeline(), track("x").into())).unwrap_err();
    assert!(by_hand.to_string().contains("has ended"), "{by_hand}");
    let plugin = tracklane::plugin::enrichment_fn("e", |_: &mut tracklane::Event| ());
    assert!(matches!(late.block_on(analytics.register(plugin)), Err(RegisterError::RuntimeEnded)));
    assert!(matches!(late.block_on(analytics.deregister("r")), Err(RegisterError::RuntimeEnded)));
    assert!(matches!(analytics.blocking(SOON).send(track("x")), Err(tracklane::BlockingError::Refused(_))));
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert!(analytics.close_blocking(SOON).is_complete());
    drop(analytics);
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
}

#[test]
fn what_waits_while_the_runtime_ends_is_answered() {
    let hangs = Destination::from_fn("hangs", |_: Batch| std::future::pending::<Result<(), std::io::Error>>());
    let runtime = multi_thread();
    let settings = Analytics::builder().max_queue_size(1).plugin(hangs).plugin(tracklane::plugin::enrichment(Never));
    let analytics = settings.runtime(runtime.handle().clone()).build().unwrap();
    let receipt = analytics.send_with_receipt(track("in the plugin's hands")).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| current_thread().block_on(analytics.send_when_ready(track("waits for room"))));
        let flushes = scope.spawn(|| analytics.flush_blocking(SOON));
        let registers = scope.spawn(|| {
            let plugin = tracklane::plugin::enrichment_fn("e", |_: &mut tracklane::Event| ());
            current_thread().block_on(analytics.register(plugin))
        });
        crate::support::eventually("the event is with the plugin", || analytics.stats().pending == 1);
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        drop(runtime);
        // The plugin's event is sent first, which makes room.
        let waited = waits.join().unwrap();
        assert!(waited.as_ref().is_ok() || waited.unwrap_err().is_runtime_ended());
        assert!(matches!(registers.join().unwrap(), Err(RegisterError::RuntimeEnded)));
        assert_eq!(flushes.join().unwrap().delivered, 0);
        assert_eq!(receipt.wait().outcome, Outcome::Dropped(DropReason::Closed));
        assert!(start.elapsed() < SOON / 2, "{:?}", start.elapsed());
    });
    assert_eq!(analytics.stats().pending, 0);
}

/// Never lets an event go on.
struct Never;

impl tracklane::plugin::Plugin for Never {
    fn name(&self) -> &str {
        "never"
    }
}

impl tracklane::plugin::Transform for Never {
    async fn transform(&self, _: &mut tracklane::Event) -> Result<tracklane::plugin::Flow, tracklane::BoxError> {
        std::future::pending().await
    }
}

#[test]
fn a_client_may_be_made_used_and_dropped_in_a_listener_or_a_destination() {
    let api = api();
    let inner = client(&api).build().unwrap();
    let destination = tracklane::plugin::Destination::from_fn("relay", move |batch: tracklane::plugin::Batch| {
        for message in batch.messages() {
            inner.send(message.event()).unwrap();
        }
        async { Ok::<(), std::io::Error>(()) }
    });
    let outer = Analytics::builder().plugin(destination).build().unwrap();
    outer.track(track("x").message_id("m")).unwrap();
    let start = Instant::now();
    assert!(outer.close_blocking(SOON).is_complete());
    drop(outer);
    assert_eq!(api.wait_for_events(1, SOON)[0]["messageId"], "m");
    assert!(start.elapsed() < SOON);
}

/// Unloads for as long as a release of a connection may take.
struct Unloads(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl tracklane::plugin::Plugin for Unloads {
    fn name(&self) -> &str {
        "unloads"
    }

    async fn unload(&self) -> Result<(), tracklane::BoxError> {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.0.store(true, std::sync::atomic::Ordering::Release);
        Ok(())
    }
}

impl tracklane::plugin::Transform for Unloads {
    async fn transform(&self, _: &mut tracklane::Event) -> Result<tracklane::plugin::Flow, tracklane::BoxError> {
        Ok(tracklane::plugin::Flow::Continue)
    }
}

#[test]
fn a_close_on_a_blocking_thread_of_the_hosts_runtime_waits_until_plugins_are_unloaded() {
    for runtime in [multi_thread(), current_thread()] {
        let api = api();
        let unloaded = std::sync::Arc::default();
        let plugin = tracklane::plugin::enrichment(Unloads(std::sync::Arc::clone(&unloaded)));
        let analytics = client(&api).plugin(plugin).runtime(runtime.handle().clone()).build().unwrap();
        analytics.track(track("1")).unwrap();
        let closes = tokio::task::spawn_blocking;
        let report = runtime.block_on(async { closes(move || analytics.close_blocking(SOON)).await }).unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert!(unloaded.load(std::sync::atomic::Ordering::Acquire), "the close did not wait for the plugin");
    }
}
