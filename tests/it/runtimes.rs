//! Where a client may live: plain threads, every kind of runtime, and on the host's own.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tracklane::Analytics;
use tracklane::testing::{Reply, TrackingApi};

use crate::local::{SOON, api, client, recorder, track};

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
    let (one, other) = (analytics.deliver(track("2")).unwrap(), analytics.deliver(track("3")).unwrap());
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
    let (destination, arrived) = recorder("r");
    let runtime = multi_thread();
    let analytics = Analytics::without_segment().plugin(destination).runtime(runtime.handle().clone()).build().unwrap();
    analytics.track(track("1")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    drop(runtime);

    analytics.track(track("2").message_id("m")).unwrap();
    let late = current_thread();
    let flushed = late.block_on(analytics.flush(SOON));
    assert_eq!((flushed.delivered, flushed.pending, flushed.is_complete()), (0, 1, false));
    let closed = late.block_on(analytics.close(SOON));
    assert_eq!((closed.pending, closed.is_complete()), (1, false));
    assert_eq!(closed.unsent[0].message_id(), "m");
    assert_eq!(arrived.len(), 1);
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
    let outer = Analytics::without_segment().plugin(destination).build().unwrap();
    outer.track(track("x").message_id("m")).unwrap();
    let start = Instant::now();
    assert!(outer.close_blocking(SOON).is_complete());
    drop(outer);
    assert_eq!(api.wait_for_events(1, SOON)[0]["messageId"], "m");
    assert!(start.elapsed() < SOON);
}
