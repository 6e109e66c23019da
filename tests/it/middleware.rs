//! Source middleware: tower layers around the whole pipeline, which receive every event first.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tower::ServiceExt;
use tower::layer::layer_fn;
use tower::util::MapRequestLayer;
use tower_service::Service;
use tracklane::plugin::enrichment_fn;
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, DropReason, Event, Outcome, PipelineService};

use crate::support::{SOON, recorder, track, with_failures};

/// Acts on an event as its name says.
struct Gate(PipelineService);

impl Service<Event> for Gate {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut event: Event) -> Self::Future {
        match event.name().as_deref() {
            Some("edit") => {
                event.set_name("edited");
                self.0.call(event)
            }
            Some("drop") => Box::pin(async { Ok(()) }),
            Some("fail") => Box::pin(async { Err("out of paper".into()) }),
            Some("panic") => panic!("out of paper"),
            Some("panic later") => Box::pin(async { panic!("out of paper") }),
            Some("hang") => Box::pin(std::future::pending()),
            _ => self.0.call(event),
        }
    }
}

#[test]
fn it_passes_edits_drops_fails_panics_and_hangs_and_every_event_is_counted() {
    let clock = ManualClock::new();
    let (destination, arrived) = recorder("recorder");
    let settings = Analytics::builder().clock(clock.clone()).plugin(destination).layer(layer_fn(Gate));
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    let names = ["pass", "edit", "drop", "fail", "panic", "panic later", "hang", "behind"];
    let receipts = names.map(|name| (name, analytics.send_with_receipt(track(name)).unwrap()));
    assert!(clock.wait_for_sleeper(Duration::from_secs(10)..=Duration::from_secs(10)), "it has ten seconds");
    clock.advance(Duration::from_secs(10));
    for (name, receipt) in receipts {
        let expected = match name {
            "pass" | "edit" | "behind" => Outcome::Delivered,
            _ => Outcome::Dropped(DropReason::Middleware),
        };
        assert_eq!(receipt.wait().outcome, expected, "{name}");
    }
    assert_eq!(arrived.names(), ["pass", "edited", "behind"]);
    assert_eq!(analytics.stats().dropped.get(DropReason::Middleware), 5);
    let said: Vec<String> = failures.wait_for(4).iter().map(|failure| failure.message.clone()).collect();
    let expected = ["failed: out of paper", "panicked: out of paper", "panicked: out of paper", "within 10s"];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said}");
    }
    assert!(failures.all().iter().all(|failure| &*failure.origin == "source middleware"));
}

#[test]
fn the_last_layer_is_the_outermost_and_all_are_before_the_plugins() {
    let append = |letter: char| {
        move |mut event: Event| {
            event.set_name(&format!("{}{letter}", event.name().unwrap_or_default()));
            event
        }
    };
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder()
        .plugin(destination)
        .plugin(enrichment_fn("plugin", move |event: &mut Event| {
            event.set_name(&format!("{}p", event.name().unwrap_or_default()));
        }))
        .layer(MapRequestLayer::new(append('i')))
        .layer(MapRequestLayer::new(append('o')))
        .build()
        .unwrap();
    analytics.track(track("-")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.names(), ["-oip"]);
}

#[test]
fn an_event_that_the_pipeline_stops_is_no_failure_of_the_middleware() {
    let (destination, _) = recorder("recorder");
    let settings = Analytics::builder().plugin(destination).layer(MapRequestLayer::new(|event: Event| event));
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    analytics.track(track("x").integration("All", false)).unwrap();
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.dropped, closed.failed), (1, 0), "it was asked for");
    assert_eq!(analytics.stats().dropped.get(DropReason::NoDestination), 1);
    assert_eq!(failures.len(), 0, "{:?}", failures.all());
}

#[test]
fn a_pipeline_driven_by_hand_takes_layers_of_its_own() {
    let (destination, arrived) = recorder("recorder");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    analytics.track(track("first")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    let service = tower::ServiceBuilder::new()
        .map_request(|json: serde_json::Value| Event::try_from(json).unwrap())
        .service(analytics.pipeline());
    let json = serde_json::json!({"type": "track", "event": "gateway", "userId": 7});
    pollster::block_on(service.oneshot(json)).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.all()[1]["userId"], "7");
}

/// Sends every event into another client, too late to be one of its own.
struct Elsewhere(tracklane::Pipeline);

impl Service<Event> for Elsewhere {
    type Response = ();
    type Error = BoxError;
    type Future = tracklane::PipelineFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        self.0.call(event)
    }
}

#[test]
fn an_event_that_a_layer_sends_into_another_client_is_counted_in_both() {
    let (destination, arrived) = recorder("theirs");
    let theirs = Analytics::builder().plugin(destination).build().unwrap();
    let (destination, kept) = recorder("ours");
    let pipeline = theirs.pipeline();
    let ours = Analytics::builder()
        .plugin(destination)
        .layer(layer_fn(move |_: PipelineService| Elsewhere(pipeline.clone())))
        .build()
        .unwrap();
    let end = ours.send_with_receipt(track("x")).unwrap();
    assert_eq!(end.wait().outcome, Outcome::Dropped(DropReason::Middleware), "here it went no further");
    ours.close_blocking(SOON);
    theirs.close_blocking(SOON);
    assert_eq!((arrived.names(), kept.len()), (vec!["x".to_owned()], 0));
    let (here, there) = (ours.stats(), theirs.stats());
    assert_eq!((here.accepted, here.delivered, here.dropped.get(DropReason::Middleware)), (1, 0, 1));
    assert_eq!((there.accepted, there.delivered), (1, 1), "{there:?}");
}

/// Sends every event that is named "first" as a call of its own, named "second".
struct SendsAgain {
    inner: PipelineService,
    client: Arc<OnceLock<Analytics>>,
}

impl Service<Event> for SendsAgain {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut event: Event) -> Self::Future {
        if event.name().as_deref() == Some("first") {
            event.set_name("second");
            self.client.get().unwrap().send(event).unwrap();
            return Box::pin(async { Ok(()) });
        }
        self.inner.call(event)
    }
}

#[test]
fn a_layer_may_send_its_event_as_a_call_of_its_own() {
    let (destination, arrived) = recorder("recorder");
    let client = Arc::new(OnceLock::new());
    let handle = client.clone();
    let again = layer_fn(move |inner: PipelineService| SendsAgain { inner, client: handle.clone() });
    let analytics = Analytics::builder().plugin(destination).layer(again).build().unwrap();
    client.set(analytics.clone()).unwrap();
    let first = analytics.send_with_receipt(track("first")).unwrap();
    assert_eq!(first.wait().outcome, Outcome::Dropped(DropReason::Middleware));
    assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    arrived.wait_for(1);
    assert_eq!(arrived.names(), ["second"]);
    assert_eq!(analytics.flush_blocking(SOON).pending, 0, "the second came while the first flush was under way");
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.dropped.total()), (2, 1, 1));
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("out of paper");
    }
}

#[test]
fn a_callback_that_is_dropped_with_the_event_of_a_plugin_changes_nothing() {
    let (destination, arrived) = recorder("recorder");
    let replace = enrichment_fn("replace", |event: &mut Event| {
        let bomb = Bomb;
        *event = track("new").on_delivery(move |_| drop(bomb)).into();
    });
    let analytics = Analytics::builder().plugin(destination).plugin(replace).build().unwrap();
    let receipt = analytics.send_with_receipt(track("old")).unwrap();
    assert!(receipt.wait().is_delivered(), "it is the same event, and goes on with what the plugin says");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.names(), ["new"]);
}
