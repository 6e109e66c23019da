//! Asynchronous plugins that handle several events at once: how many, how fast, in order, and independently.
//!
//! These tests use tokio's paused time: it stands still while a task can run, and then jumps to the next timer.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;
use tracklane::plugin::{Flow, Plugin, Registration, Transform, before, enrichment, enrichment_fn};
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Kind, Outcome, Page};

use crate::support::{Arrived, Log, SOON, recorder, track, with_failures};

const TAKES: Duration = Duration::from_millis(10);

fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn events(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

/// Delays each event, and acts as the event's name says.
#[derive(Clone)]
struct Slow {
    name: &'static str,
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Slow {
    fn new(name: &'static str) -> Self {
        Self { name, inside: Arc::default(), most: Arc::default() }
    }
}

impl Plugin for Slow {
    fn name(&self) -> &str {
        self.name
    }
}

/// Counts down however the work ends.
struct Leaves<'s>(&'s AtomicUsize);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transform for Slow {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        self.most.fetch_max(self.inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _leaves = Leaves(&self.inside);
        event.section_mut().insert(self.name, true);
        let name = event.name().unwrap_or_default().into_owned();
        match name.split(' ').next().unwrap_or_default() {
            "quick" => {}
            "hang" => std::future::pending().await,
            _ => tokio::time::sleep(TAKES).await,
        }
        match name.split(' ').next().unwrap_or_default() {
            "fail" => Err("out of paper".into()),
            "panic" => panic!("out of paper"),
            "drop" => Ok(Flow::drop("not wanted")),
            _ => Ok(Flow::Continue),
        }
    }
}

/// A client with these plugins on a runtime with paused time, and a record of its arrived events.
fn client(plugins: impl IntoIterator<Item = Registration>) -> (Builder, Runtime, Arrived) {
    let (runtime, (destination, arrived)) = (paused(), recorder("recorder"));
    let builder = Analytics::builder().runtime(runtime.handle().clone()).plugin(destination);
    (plugins.into_iter().fold(builder, Builder::plugin), runtime, arrived)
}

/// Drives the runtime until every event has its outcome, and closes the client.
fn drive(runtime: &Runtime, analytics: &Analytics) {
    runtime.block_on(async {
        while analytics.stats().pending > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        analytics.close(SOON).await;
    });
}

#[test]
fn ten_milliseconds_and_sixty_four_at_once_let_five_thousand_events_a_second_through_in_order() {
    const EVENTS: usize = 6_400;
    let passed = Log::new();
    let log = passed.clone();
    let next = enrichment_fn("next", move |event: &mut Event| {
        log.push((event.name().unwrap_or_default().into_owned(), Instant::now()));
    });
    let slow = Slow::new("slow");
    let (builder, runtime, arrived) = client([enrichment(slow.clone()).concurrency(events(64)), next]);
    let analytics = builder.build().unwrap();
    let start = runtime.block_on(async { Instant::now() });
    (0..EVENTS).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap());
    drive(&runtime, &analytics);
    let passed = passed.all();
    assert!(passed.iter().map(|(name, _)| name.clone()).eq((0..EVENTS).map(|number| format!("e {number}"))));
    let took = passed.last().unwrap().1 - start;
    let per_second = EVENTS as f64 / took.as_secs_f64();
    assert!(per_second >= 5_000.0, "{per_second:.0} events per second");
    assert_eq!((slow.most.load(Ordering::SeqCst), arrived.len()), (64, EVENTS));
}

#[test]
fn by_default_one_event_is_in_a_plugin_and_else_as_many_as_it_says() {
    for (limits, expected) in [([1, 1], [1, 1]), ([3, 1], [3, 1]), ([5, 2], [5, 2]), ([4, 4], [4, 4])] {
        let slow = [Slow::new("a"), Slow::new("b")];
        let [a, b] = [0, 1].map(|at| enrichment(slow[at].clone()).concurrency(events(limits[at])));
        let (builder, runtime, arrived) = client([a, b]);
        let analytics = builder.build().unwrap();
        (0..40).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap());
        drive(&runtime, &analytics);
        assert_eq!([0, 1].map(|at| slow[at].most.load(Ordering::SeqCst)), expected, "{limits:?}");
        assert!(arrived.names().into_iter().eq((0..40).map(|number| format!("e {number}"))), "{limits:?}");
    }
}

#[test]
fn a_failure_a_panic_and_a_hang_are_taken_back_for_the_event_that_met_them() {
    let names = ["e 0", "fail 1", "e 2", "panic 3", "hang 4", "quick 5", "drop 6", "e 7"];
    for closed in [false, true] {
        let plugin = if closed { before(Slow::new("slow")) } else { enrichment(Slow::new("slow")) };
        let (builder, runtime, arrived) = client([plugin.concurrency(events(8))]);
        let (builder, failures) = with_failures(builder);
        let analytics = builder.build().unwrap();
        let receipts = names.map(|name| (name, analytics.send_with_receipt(track(name)).unwrap()));
        drive(&runtime, &analytics);
        let fails = |name: &str| ["fail", "panic", "hang"].iter().any(|what| name.starts_with(what));
        let mut expected = Vec::new();
        for (name, receipt) in receipts {
            let outcome = match name {
                name if name.starts_with("drop") => Outcome::Dropped(DropReason::Plugin),
                name if closed && fails(name) => Outcome::Dropped(DropReason::BeforeFailed),
                _ => Outcome::Delivered,
            };
            assert_eq!(receipt.wait().outcome, outcome, "{name}");
            if outcome.is_delivered() {
                expected.push((name.to_owned(), !fails(name)));
            }
        }
        let there = arrived.all();
        let edited = |event: &serde_json::Value| event["properties"]["slow"] == true;
        let there: Vec<_> = arrived.names().into_iter().zip(there.iter().map(edited)).collect();
        assert_eq!(there, expected, "in order, and with what the plugin did where it succeeded");
        let stats = analytics.stats();
        assert_eq!((stats.plugins[0].failed, stats.plugins[0].dropped), (3, 1));
        assert_eq!(failures.wait_for(1)[0].events, 1);
    }
}

#[test]
fn what_a_plugin_does_not_see_waits_behind_what_it_does() {
    let only_pages = enrichment(Slow::new("pages")).only([Kind::Page]).concurrency(events(4));
    let (builder, runtime, arrived) = client([only_pages]);
    let analytics = builder.build().unwrap();
    for number in 0..20 {
        if number % 3 == 0 {
            analytics.page(Page::new(format!("p {number}")).user_id("u")).unwrap();
        } else {
            analytics.track(track(&format!("e {number}"))).unwrap();
        }
    }
    drive(&runtime, &analytics);
    let name =
        |event: &serde_json::Value| event.get("event").or(event.get("name")).unwrap().as_str().unwrap().to_owned();
    let numbers: Vec<usize> = arrived.all().iter().map(|event| name(event)[2..].parse().unwrap()).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[test]
fn events_of_before_a_registration_pass_without_it_and_those_behind_wait() {
    let (builder, runtime, arrived) = client([enrichment(Slow::new("slow")).concurrency(events(8))]);
    let analytics = builder.build().unwrap();
    (0..5).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap());
    let late = enrichment_fn("late", |event: &mut Event| {
        event.section_mut().insert("late", true);
    });
    runtime.block_on(async {
        let registering = analytics.register(late);
        let calls = async { (5..10).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap()) };
        let (registered, ()) = tokio::join!(registering, calls);
        registered.unwrap();
    });
    drive(&runtime, &analytics);
    let seen: Vec<bool> = arrived.all().iter().map(|event| event["properties"]["late"] == true).collect();
    assert_eq!(seen, [[false; 5], [true; 5]].concat());
    assert!(arrived.names().into_iter().eq((0..10).map(|number| format!("e {number}"))));
}

#[test]
fn a_flush_and_a_close_wait_for_all_that_are_in_plugins() {
    let slow = enrichment(Slow::new("slow")).concurrency(events(16));
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder().plugin(destination).plugin(slow).build().unwrap();
    for round in 1..=2 {
        (0..40).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap());
        let flushed = analytics.flush_blocking(SOON);
        assert_eq!((flushed.delivered, flushed.pending, arrived.len()), (40, 0, 40 * round));
    }
    (0..40).for_each(|number| analytics.track(track(&format!("e {number}"))).unwrap());
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.delivered, closed.pending, arrived.len()), (120, 0, 120));
}

#[test]
fn a_close_without_time_accounts_for_all_that_are_in_plugins() {
    let slow = Slow::new("slow");
    let (destination, _arrived) = recorder("recorder");
    let plugin = enrichment(slow.clone()).concurrency(events(16));
    let analytics = Analytics::builder().plugin(destination).plugin(plugin).build().unwrap();
    let receipts: Vec<_> = (0..40).map(|n| analytics.send_with_receipt(track(&format!("hang {n}"))).unwrap()).collect();
    crate::support::eventually("sixteen are in the plugin", || slow.inside.load(Ordering::SeqCst) == 16);
    let closed = analytics.close_blocking(Duration::ZERO);
    assert_eq!((closed.pending, closed.unsent.len()), (40, 24), "those that the plugin has are not handed back");
    for receipt in receipts {
        assert_eq!(receipt.wait().outcome, Outcome::Dropped(DropReason::Closed));
    }
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.dropped.get(DropReason::Closed), stats.pending), (40, 40, 0));
}

#[test]
fn by_hand_an_asynchronous_plugin_needs_no_runtime_of_whoever_drives_it() {
    let (destination, arrived) = recorder("recorder");
    let slow = enrichment(Slow::new("slow"));
    let analytics = Analytics::builder().plugin(destination).plugin(slow).build().unwrap();
    pollster::block_on(async {
        let mut pipeline = analytics.pipeline();
        tower::ServiceExt::ready(&mut pipeline).await.unwrap();
        tower_service::Service::call(&mut pipeline, track("e 0").into()).await.unwrap();
    });
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.all()[0]["properties"]["slow"], true);
}
