//! After plugins, listeners and callbacks: their faults do not affect delivery.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracklane::event::Message;
use tracklane::plugin::{After, Plugin, after, after_fn};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, DropReason, Kind, Outcome, Settlement, signal};

use crate::support::{Log, SOON, api, client, recorder, segment, track, with_failures};

enum Breaks {
    Error,
    Panic,
    Hang,
}

/// Breaks on its first event; keeps the names of the others.
struct Brittle {
    breaks: Breaks,
    seen: Log<String>,
}

impl Plugin for Brittle {
    fn name(&self) -> &str {
        "brittle"
    }
}

impl After for Brittle {
    async fn after(&self, message: &Message, end: &Settlement) -> Result<(), BoxError> {
        let event = message.event();
        assert_eq!(event.message_id(), end.message_id);
        if event.name().as_deref() != Some("bad") {
            self.seen.push(event.name().unwrap().into_owned());
            return Ok(());
        }
        match self.breaks {
            Breaks::Error => Err("out of paper".into()),
            Breaks::Panic => panic!("out of paper"),
            Breaks::Hang => std::future::pending().await,
        }
    }
}

#[test]
fn an_after_plugin_that_breaks_is_reported_and_changes_nothing() {
    for (breaks, said) in
        [(Breaks::Error, "failed: out of paper"), (Breaks::Panic, "panicked"), (Breaks::Hang, "did not end within 1s")]
    {
        let hangs = matches!(breaks, Breaks::Hang);
        let (clock, seen) = (ManualClock::new(), Log::new());
        let (destination, arrived) = recorder("recorder");
        let settings = Analytics::builder().clock(clock.clone()).plugin(destination);
        let (settings, failures) = with_failures(settings.plugin(after(Brittle { breaks, seen: seen.clone() })));
        let analytics = settings.build().unwrap();
        let bad = analytics.send_with_receipt(track("bad")).unwrap();
        analytics.track(track("good")).unwrap();
        assert!(analytics.flush_blocking(SOON).is_complete(), "nobody waits for it");
        assert!(bad.wait().is_delivered());
        if hangs {
            assert!(clock.wait_for_sleeper(Duration::from_secs(1)..=Duration::from_secs(1)));
            clock.advance(Duration::from_secs(1));
        }
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(seen.all(), ["good"], "close lets it see what has ended");
        assert_eq!(arrived.len(), 2);
        let failure = &failures.wait_for(1)[0];
        assert_eq!((&*failure.origin, failure.dropped), ("brittle", None));
        assert!(failure.message.contains(said), "{failure}");
    }
}

#[test]
fn an_after_plugin_sees_every_end_once_and_only_the_kinds_it_asked_for() {
    let api = api();
    api.script([tracklane::testing::Reply::status(404)]);
    let (ends, tracks) = (Log::new(), Log::new());
    let (all, some) = (ends.clone(), tracks.clone());
    let analytics = Analytics::builder()
        .segment(segment(&api).flush_at(1).max_in_flight(1))
        .plugin(after_fn("all", move |message: &Message, end: &Settlement| {
            all.push((message.message_id().into_owned(), end.outcome));
        }))
        .plugin(after_fn("some", move |message: &Message, _: &Settlement| some.push(message.kind())).only([Kind::Page]))
        .build()
        .unwrap();
    analytics.track(track("x").message_id("m1")).unwrap();
    assert_eq!(analytics.flush_blocking(SOON).failed, 1);
    analytics.page(tracklane::Page::new("x").user_id("u").message_id("m2")).unwrap();
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.delivered, closed.failed), (1, 1));
    let expected = [("m1".to_owned(), Outcome::Dropped(DropReason::Rejected)), ("m2".to_owned(), Outcome::Delivered)];
    assert_eq!(ends.all(), expected);
    assert_eq!(tracks.all(), [Kind::Page]);
}

#[test]
fn a_listener_that_panics_or_hangs_costs_only_itself() {
    let api = api();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let heard = Log::new();
    let log = heard.clone();
    let analytics = client(&api)
        .on(signal::Track, |_| panic!("listener"))
        .on(signal::Track, move |_| {
            let _ = held.lock().unwrap().recv();
        })
        .on(signal::Track, move |event| log.push(event.name().unwrap().into_owned()))
        .build()
        .unwrap();
    for name in ["a", "b", "c"] {
        analytics.track(track(name)).unwrap();
    }
    let start = Instant::now();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(start.elapsed() < SOON / 2, "close does not wait for a listener that hangs");
    assert_eq!(heard.wait_for(3), ["a", "b", "c"], "in order, whatever the others do");
    assert_eq!(api.events().len(), 3);
    drop(release);
}

#[test]
fn a_callback_that_panics_or_hangs_costs_only_itself() {
    let api = api();
    let (release, held) = mpsc::channel::<()>();
    let (held, told) = (Mutex::new(held), Log::new());
    let log = told.clone();
    let analytics = client(&api).build().unwrap();
    analytics.track(track("a").on_delivery(|_| panic!("callback"))).unwrap();
    analytics
        .track(track("b").on_delivery(move |_| {
            let _ = held.lock().unwrap().recv();
        }))
        .unwrap();
    analytics.track(track("c").on_delivery(move |end| log.push(end.outcome))).unwrap();
    let short = Duration::from_millis(100);
    assert!(analytics.flush_blocking(short).is_complete(), "a flush waits for callbacks until its deadline only");
    assert_eq!(told.wait_for(1), [Outcome::Delivered]);
    let start = Instant::now();
    let report = analytics.close_blocking(Duration::from_millis(200));
    assert!(report.is_complete() && start.elapsed() < Duration::from_secs(10), "close keeps its deadline");
    assert_eq!(api.events().len(), 3);
    drop(release);
}

#[test]
fn a_listener_and_a_callback_may_use_the_client() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    let (inner, answered) = (Arc::new(Mutex::new(Some(analytics.clone()))), Log::new());
    let (for_callback, log) = (inner.clone(), answered.clone());
    analytics.on(signal::Track, move |event| {
        if event.name().as_deref() == Some("question") {
            let client = inner.lock().unwrap().clone().unwrap();
            client.track(track("heard")).unwrap();
        }
    });
    let callback = move |_: &Settlement| {
        let client = for_callback.lock().unwrap().take().unwrap();
        client.track(track("told")).unwrap();
        log.push(client.flush_blocking(SOON).pending);
    };
    analytics.track(track("question").on_delivery(callback)).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert_eq!(answered.wait_for(1), [0]);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(api.events().len() >= 2);
}
