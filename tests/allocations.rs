//! Bounds the allocations of a call, and the memory of a waiting event. The bounds are the same on every machine.
//!
//! This is a test binary of its own, because it counts the calls of the allocator. It counts only the test's own
//! thread: the pipeline works on a runtime that this thread drives.

#[path = "../benches/item_purchased/mod.rs"]
mod item_purchased;

use std::future::poll_fn;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use item_purchased::call;
use pollster::block_on;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;
use tracklane::plugin::{Batch, Batching, Destination, QueueLimits, Registration, before_fn};
use tracklane::{Analytics, Context, Event};

const EVENTS: u64 = 10_000;

/// A client whose pipeline stands still unless the test drives the runtime.
fn client(destination: Destination) -> (Analytics, Runtime) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let settings = Analytics::builder().plugin(destination).max_queue_size(100_000);
    let analytics = settings.max_queue_bytes(100_000_000).runtime(runtime.handle().clone()).build().unwrap();
    runtime.block_on(tokio::task::yield_now());
    (analytics, runtime)
}

/// A destination that takes one batch, and never answers.
fn hung(bytes_per_event: Arc<AtomicUsize>) -> Destination {
    let hang = move |batch: Batch| {
        bytes_per_event.store(batch.bytes() / batch.len(), Ordering::Relaxed);
        std::future::pending::<Result<(), std::io::Error>>()
    };
    Destination::from_fn("hung", hang)
        .batching(Batching::every(100, Duration::from_secs(10)))
        .queue(QueueLimits::new(100_000, 100_000_000))
}

/// Leaks the runtime and the client until the process ends: a client waits for its pending events, and nothing drives
/// its runtime.
fn leave(analytics: Analytics, runtime: Runtime) {
    std::mem::forget((analytics, runtime));
}

fn per_event(allocations: AllocationInfo) -> f64 {
    allocations.count_total as f64 / EVENTS as f64
}

#[test]
fn a_call_with_an_event_built_before_allocates_nothing() {
    let (analytics, runtime) = client(hung(Arc::default()));
    let events: Vec<Event> = (0..EVENTS).map(|number| call(number).into()).collect();
    let allocations = measure(|| events.into_iter().for_each(|event| analytics.send(event).unwrap()));
    // The chunks that events are copied into, one for more than a hundred of them.
    assert!(per_event(allocations) < 0.02, "{allocations:?}");
    leave(analytics, runtime);
}

#[test]
fn an_event_built_in_the_call_allocates_once() {
    let (analytics, runtime) = client(hung(Arc::default()));
    let allocations = measure(|| (0..EVENTS).for_each(|number| analytics.track(call(number)).unwrap()));
    // The id as text; the rest is the memory of the event before. A `serde_json` map of the properties alone takes 23.
    assert!(per_event(allocations) < 1.02, "{allocations:?}");
    leave(analytics, runtime);
}

#[test]
fn an_event_that_waits_keeps_little_more_than_its_json() {
    let bytes_per_event = Arc::new(AtomicUsize::new(0));
    let (analytics, runtime) = client(hung(bytes_per_event.clone()));
    let mut retained = Vec::new();
    for number in [EVENTS, 2 * EVENTS] {
        let queued = measure(|| {
            (0..EVENTS).for_each(|number| analytics.track(call(number)).unwrap());
            runtime.block_on(async {
                while analytics.stats().destinations.first().is_none_or(|hung| hung.accepted < number) {
                    tokio::task::yield_now().await;
                }
            });
        });
        retained.push(queued.bytes_current as f64 / EVENTS as f64);
    }
    // The second time, everything that is made once is there.
    let json = bytes_per_event.load(Ordering::Relaxed) as f64;
    let ratio = retained.last().unwrap() / json;
    assert!((1.0..=1.3).contains(&ratio), "{retained:?} bytes for {json} bytes of JSON");
    leave(analytics, runtime);
}

/// The allocations of an event on its way through a pipeline with this plugin, on the calling thread.
fn of_pipeline(plugin: Registration) -> f64 {
    let nowhere = hung(Arc::default()).batching(Batching::every(EVENTS as usize * 2, Duration::from_secs(3600)));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let settings = Analytics::builder().max_queue_size(100_000).max_queue_bytes(100_000_000).plugin(plugin);
    let analytics = settings.plugin(nowhere).runtime(runtime.handle().clone()).build().unwrap();
    let mut pipeline = analytics.pipeline();
    runtime.block_on(poll_fn(|cx| pipeline.poll_ready(cx))).unwrap();
    let event: Event = call(1).context(Context::new().with("userAgent", "a".repeat(200))).into();
    let events: Vec<Event> = (0..EVENTS).map(|_| event.clone()).collect();
    let allocations = measure(|| events.into_iter().for_each(|event| block_on(pipeline.call(event)).unwrap()));
    leave(analytics, runtime);
    per_event(allocations)
}

#[test]
fn a_plugin_that_adds_to_the_context_pays_for_that_alone() {
    let adds =
        of_pipeline(before_fn("adds", |event: &mut Event| drop(event.context_mut().insert("mark", "m".repeat(100)))));
    let repeats = of_pipeline(before_fn("repeats", |_: &mut Event| drop(black_box("m".repeat(100)))));
    // Its context grows once. The text that is sent is neither made larger nor smaller, but as long as it has to be.
    assert!(adds - repeats < 1.1, "{adds} with an addition, {repeats} without");
}

#[test]
fn the_map_that_the_bounds_are_compared_with() {
    let map = measure(|| drop(item_purchased::properties()));
    assert_eq!(map.count_total, 23);
}
