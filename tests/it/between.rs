//! The user's layers between the stages: their place, the events that they keep, and the events that they cannot lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tower::ServiceExt;
use tower::layer::layer_fn;
use tower::limit::{ConcurrencyLimitLayer, RateLimitLayer};
use tower::util::MapRequestLayer;
use tower_service::Service;
use tracklane::plugin::{Flow, before_fn, enrichment_fn};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, DropReason, Event, Outcome, PipelineService, Stopped};

use crate::support::{Log, SOON, recorder, track, with_failures};

fn append(letter: char) -> impl Fn(Event) -> Event + Clone + Send + Sync + 'static {
    move |mut event: Event| {
        event.set_name(&format!("{}{letter}", event.name().unwrap_or_default()));
        event
    }
}

fn plugin(letter: char) -> impl Fn(&mut Event) + Send + Sync + 'static {
    move |event: &mut Event| event.set_name(&format!("{}{letter}", event.name().unwrap_or_default()))
}

/// Counts passing events in its own state, and acts as the event's name says.
struct Gate {
    inner: PipelineService,
    count: u64,
}

impl Service<Event> for Gate {
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut event: Event) -> Self::Future {
        self.count += 1;
        event.section_mut().insert("count", self.count);
        match event.name().as_deref() {
            Some("drop") => Box::pin(async { Ok(()) }),
            Some("fail") => Box::pin(async { Err("out of paper".into()) }),
            Some("panic") => panic!("out of paper"),
            Some("hang") => Box::pin(std::future::pending()),
            Some("copy") => {
                let (copy, count) = (event.clone(), self.count);
                let (first, second) = (self.inner.call(event), self.inner.call(copy));
                Box::pin(async move {
                    let _ = count;
                    first.await?;
                    second.await
                })
            }
            _ => self.inner.call(event),
        }
    }
}

fn gate() -> impl tower::Layer<PipelineService, Service = Gate> + Send + 'static {
    layer_fn(|inner| Gate { inner, count: 0 })
}

#[test]
fn each_place_is_where_its_name_says_and_the_last_layer_is_the_outermost() {
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder()
        .plugin(destination)
        .plugin(enrichment_fn("enrichment", plugin('e')))
        .plugin(before_fn("before", plugin('b')))
        .layer(MapRequestLayer::new(append('1')))
        .layer_enrichment(MapRequestLayer::new(append('3')))
        .layer_enrichment(MapRequestLayer::new(append('2')))
        .layer_destinations(MapRequestLayer::new(append('4')))
        .build()
        .unwrap();
    analytics.track(track("-")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    pollster::block_on(analytics.pipeline().oneshot(track("=").into())).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.names(), ["-1b23e4", "=b23e4"], "by hand an event passes the layers between, too");
}

#[test]
fn what_a_layer_counts_survives_every_registration() {
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder().plugin(destination).layer_enrichment(gate()).build().unwrap();
    for round in 0..4 {
        analytics.track(track("x")).unwrap();
        match round % 2 {
            0 => pollster::block_on(analytics.register(enrichment_fn("more", |_: &mut Event| {}))).unwrap(),
            _ => pollster::block_on(analytics.deregister("more")).unwrap(),
        }
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let counts: Vec<_> = arrived.all().iter().map(|event| event["properties"]["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
}

#[test]
fn what_a_layer_loses_breaks_or_holds_is_counted_and_named() {
    let clock = ManualClock::new();
    let (destination, arrived) = recorder("recorder");
    let settings = Analytics::builder().clock(clock.clone()).plugin(destination).layer_enrichment(gate());
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    let names = ["pass", "drop", "fail", "panic", "hang", "behind"];
    let receipts = names.map(|name| (name, analytics.send_with_receipt(track(name)).unwrap()));
    assert!(clock.wait_for_sleeper(Duration::from_secs(10)..=Duration::from_secs(10)), "it has ten seconds");
    clock.advance(Duration::from_secs(10));
    for (name, receipt) in receipts {
        let expected = match name {
            "pass" | "behind" => Outcome::Delivered,
            _ => Outcome::Dropped(DropReason::Middleware),
        };
        assert_eq!(receipt.wait().outcome, expected, "{name}");
    }
    assert_eq!(arrived.names(), ["pass", "behind"]);
    let said: Vec<String> = failures.wait_for(3).iter().map(|failure| failure.message.clone()).collect();
    for (said, expected) in said.iter().zip(["failed: out of paper", "panicked: out of paper", "within 10s"]) {
        assert!(said.starts_with("enrichment middleware") && said.contains(expected), "{said}");
    }
}

#[test]
fn a_copy_that_a_layer_sends_on_is_an_event_of_its_own_from_there_on() {
    let (destination, arrived) = recorder("recorder");
    let seen = Log::new();
    let log = seen.clone();
    let analytics = Analytics::builder()
        .plugin(destination)
        .plugin(before_fn("before", move |event: &mut Event| log.push(event.message_id().into_owned())))
        .plugin(enrichment_fn("enrichment", |event: &mut Event| {
            event.section_mut().insert("enriched", true);
        }))
        .layer_enrichment(gate())
        .build()
        .unwrap();
    analytics.track(track("copy")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((seen.len(), arrived.len()), (1, 2), "the copy is behind the before plugins already");
    assert!(arrived.all().iter().all(|event| event["properties"]["enriched"] == true));
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.delivered), (2, 2));
}

#[test]
fn a_plugin_that_stops_an_event_behind_a_layer_is_no_fault_of_the_layer() {
    let (destination, _arrived) = recorder("recorder");
    let settings = Analytics::builder()
        .plugin(destination)
        .plugin(enrichment_fn("stop", |_: &mut Event| Flow::drop("not wanted")))
        .layer_enrichment(ConcurrencyLimitLayer::new(1));
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    let stopped = pollster::block_on(analytics.pipeline().oneshot(track("x").into())).unwrap_err();
    assert_eq!(stopped.downcast::<Stopped>().unwrap().reason, DropReason::Plugin);
    analytics.track(track("x")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).dropped, 2);
    assert_eq!(failures.len(), 0, "{:?}", failures.all());
}

#[test]
fn tower_s_limits_hold_for_the_queue_and_by_hand_together() {
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder()
        .plugin(destination)
        .layer_destinations(RateLimitLayer::new(2, Duration::from_millis(20)))
        .layer_destinations(ConcurrencyLimitLayer::new(1))
        .build()
        .unwrap();
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2 {
                    pollster::block_on(analytics.pipeline().oneshot(track("by hand").into())).unwrap();
                }
            });
        }
        (0..4).for_each(|_| analytics.track(track("queue")).unwrap());
    });
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), 8);
    assert!(start.elapsed() >= Duration::from_millis(60), "eight are four turns: {:?}", start.elapsed());
}

/// Is asked before it is called, each time.
struct Strict {
    inner: PipelineService,
    is_ready: bool,
    misused: Arc<AtomicUsize>,
}

impl Service<Event> for Strict {
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.is_ready = true;
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        if !std::mem::take(&mut self.is_ready) {
            self.misused.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.call(event)
    }
}

#[test]
fn no_layer_is_called_that_was_not_asked() {
    let misused = Arc::new(AtomicUsize::new(0));
    let strict = || {
        let misused = misused.clone();
        layer_fn(move |inner| Strict { inner, is_ready: false, misused: misused.clone() })
    };
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder()
        .plugin(destination)
        .layer(strict())
        .layer_enrichment(strict())
        .layer_destinations(strict())
        .build()
        .unwrap();
    (0..20).for_each(|_| analytics.track(track("x")).unwrap());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((misused.load(Ordering::SeqCst), arrived.len()), (0, 20));
}
