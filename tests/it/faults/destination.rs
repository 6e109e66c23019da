//! Faults of destinations: services that panic, die, or hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tower_service::Service;
use tracklane::plugin::{Batch, Destination, RetryPolicy, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Track};

use super::plugin::block_on;
use crate::support::{SOON, Trial, eventually, quick_retries};

/// A second destination beside Segment that runs `work` for each batch.
pub(super) fn beside_segment(name: &str, work: impl Fn() + Send + Sync + 'static) -> Destination {
    let work = Arc::new(work);
    Destination::from_fn(name, move |_: Batch| {
        let work = work.clone();
        async move {
            work();
            Ok::<(), BoxError>(())
        }
    })
    .retry(quick_retries(10_000))
}

#[test]
pub(super) fn a_destination_that_panics_costs_its_own_batches_only() {
    let calls = AtomicUsize::new(0);
    let panics = beside_segment("panics", move || assert!(calls.fetch_add(1, Ordering::SeqCst) >= 3, "on purpose"));
    let mut trial = Trial::with(|settings| settings.plugin(panics));
    assert_eq!(trial.send_each(5), (5, 0), "Segment has them all");
    let ended = trial.survives();
    let beside = &ended.stats.destinations[1];
    assert_eq!((beside.delivered, beside.dropped.get(DropReason::Panicked)), (3, 3), "it works again after a panic");
    assert!(ended.failures.iter().all(|failure| &*failure.origin == "panics"), "{:?}", ended.failures);
}

/// A service that panics in the place that is asked for.
#[derive(Clone)]
struct Explosive {
    at: &'static str,
    left: Arc<AtomicUsize>,
}

impl Explosive {
    fn explode(&self, at: &str) {
        let less = |left: usize| left.checked_sub(1);
        if at == self.at && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            panic!("on purpose in {at}");
        }
    }
}

struct ExplodesInDrop(Explosive);

impl Drop for ExplodesInDrop {
    fn drop(&mut self) {
        self.0.explode("drop of the future");
    }
}

impl Service<Batch> for Explosive {
    type Response = ();
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.explode("poll_ready");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.explode("call");
        let held = ExplodesInDrop(self.clone());
        Box::pin(async move {
            held.0.explode("the future");
            Ok(())
        })
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        self.explode("drop");
    }
}

#[test]
fn a_panic_in_any_part_of_a_destination_stays_in_its_lane() {
    for at in ["poll_ready", "call", "the future", "drop of the future", "drop"] {
        let left = Arc::new(AtomicUsize::new(1));
        let explosive = move || Explosive { at, left: left.clone() };
        let destination = Destination::from_factory("explosive", explosive).retry(quick_retries(10_000));
        let mut trial = Trial::with(|settings| settings.plugin(destination));
        assert_eq!(trial.send_each(4), (4, 0), "{at}");
        let beside = &trial.assert_books_balance().destinations[1];
        assert!(beside.delivered >= 3, "{at}: it works again: {beside:?}");
        block_on(trial.analytics.deregister("explosive")).expect("it is registered");
        trial.survives();
    }
}

/// Dead after as many batches as it has lives for.
struct Mortal(usize);

impl Service<Batch> for Mortal {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(if self.0 == 0 { Err("dead".into()) } else { Ok(()) })
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.0 -= 1;
        std::future::ready(Ok(()))
    }
}

#[test]
pub(super) fn a_dead_service_is_made_again() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let make = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Mortal(2)
    };
    let mortal = Destination::from_factory("mortal", make).retry(quick_retries(10_000)).max_in_flight(1);
    let mut trial = Trial::with(|settings| settings.plugin(mortal));
    trial.send_each(20);
    trial.wait_for_failure("the death", |failure| failure.message.contains("dead; rebuilding the service"));
    let ended = trial.survives();
    assert_eq!(ended.stats.destinations[1].delivered, 21, "what the dead one did not take, the next one does");
    assert_eq!(made.load(Ordering::SeqCst), 11);
}

#[test]
pub(super) fn a_service_that_dies_again_and_again_is_given_up() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let make = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Mortal(0)
    };
    let mut trial = Trial::with(|settings| {
        settings.plugin(Destination::from_factory("stillborn", make).retry(quick_retries(10_000)))
    });
    assert_eq!(trial.send_each(3), (3, 0), "Segment is not concerned");
    let failure = trial.wait_for_failure("the end", |failure| failure.dropped == Some(DropReason::Unavailable));
    assert!(failure.message.contains("can take no more events: dead"), "{failure}");
    let ended = trial.survives();
    assert_eq!(made.load(Ordering::SeqCst), 5);
    assert_eq!(ended.stats.destinations[1].dropped.get(DropReason::Unavailable), 4);
}

#[test]
pub(super) fn a_dead_service_that_cannot_be_made_again_is_given_up() {
    let mut trial = Trial::with(|settings| settings.plugin(Destination::new("mortal", Mortal(1))));
    assert_eq!(trial.send_each(3), (3, 0));
    let ended = trial.survives();
    let mortal = &ended.stats.destinations[1];
    assert_eq!((mortal.delivered, mortal.dropped.get(DropReason::Unavailable)), (1, 3));
}

#[test]
fn a_destination_that_hangs_holds_up_nobody() {
    let hangs = Destination::from_fn("hangs", |_: Batch| std::future::pending::<Result<(), BoxError>>());
    let mut trial = Trial::with(|settings| settings.plugin(hangs.attempt_timeout(SOON)));
    trial.send(3);
    trial.api.wait_for_events(3, SOON);
    let report = trial.flush_within(Duration::from_millis(50));
    assert_eq!(report.pending, 3, "the flush ends in time and says what is left");
    let closed = trial.analytics.close_blocking(Duration::from_millis(50));
    assert_eq!((closed.pending, closed.unsent.len()), (3, 3));
    let ended = trial.ends();
    assert_eq!(ended.stats.destinations[0].delivered, 3, "Segment has them");
    assert_eq!(ended.stats.destinations[1].dropped.get(DropReason::Closed), 3);
}

#[test]
pub(super) fn an_attempt_that_hangs_is_cut_and_tried_again() {
    let (clock, calls) = (ManualClock::new(), AtomicUsize::new(0));
    let first_hangs = Destination::from_fn("first hangs", move |_: Batch| {
        let hangs = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if hangs { std::future::pending().await } else { Ok::<(), BoxError>(()) } }
    });
    let limit = Duration::from_secs(33);
    let first_hangs = first_hangs.attempt_timeout(limit).retry(quick_retries(10_000));
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()).plugin(first_hangs));
    trial.send(1);
    // Segment's attempt must be over: it has a limit on the same clock.
    eventually("Segment has it", || {
        trial.assert_books_balance().destinations.first().is_some_and(|segment| segment.delivered == 1)
    });
    assert!(clock.wait_for_sleeper(limit..=limit));
    clock.advance(limit);
    eventually("the next attempt succeeds", || {
        clock.advance(Duration::from_millis(4));
        trial.assert_books_balance().delivered == 1
    });
    assert_eq!(trial.survives().stats.destinations[1].delivered, 2);
}

#[test]
pub(super) fn a_schedule_of_retries_that_panics_is_no_schedule() {
    let table = RetryPolicy::new().max_retries(5).backoff(Duration::ZERO, Duration::from_millis(1)).schedule(|retry| {
        let waits = [Duration::ZERO];
        waits[retry as usize]
    });
    let mut trial = Trial::with_segment(|segment| segment.retry(table));
    trial.api.script([Reply::status(500), Reply::status(500)]);
    assert_eq!(trial.send_each(2), (2, 0));
    trial.survives();
}

/// An error that breaks code that displays or drops it.
#[derive(Debug)]
struct Vicious {
    in_display: bool,
}

impl std::fmt::Display for Vicious {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        assert!(!self.in_display, "on purpose in Display");
        f.write_str("vicious")
    }
}

impl std::error::Error for Vicious {}

impl Drop for Vicious {
    fn drop(&mut self) {
        assert!(self.in_display, "on purpose in drop");
    }
}

/// A destination and a plugin whose every error is of that kind.
fn vicious(settings: Builder, in_display: bool) -> Builder {
    let error = move || -> BoxError { Box::new(Vicious { in_display }) };
    let once = RetryPolicy::new().max_retries(1).backoff(Duration::ZERO, Duration::ZERO);
    let destination = Destination::from_fn("vicious", move |_: Batch| async move { Err::<(), _>(error()) });
    let plugin = enrichment_fn("vicious plugin", move |event: &mut Event| match event.name().as_deref() {
        Some("spared") => Ok(()),
        _ => Err(error()),
    });
    settings.plugin(destination.retry(once)).plugin(plugin)
}

#[test]
fn an_error_that_panics_when_it_is_shown_holds_up_nobody() {
    let mut trial = Trial::with(|settings| vicious(settings, true));
    assert_eq!(trial.send_each(3), (3, 0), "Segment has them all");
    assert_eq!(trial.analytics.flush_blocking(SOON).pending, 0);
    let said: Vec<String> = trial.ends().failures.iter().map(|failure| failure.message.clone()).collect();
    assert!(
        said.iter().any(|message| message.contains("its text is unknown: it panicked while it was displayed")),
        "{said:?}"
    );
}

#[test]
fn an_error_that_panics_when_it_is_dropped_costs_no_more_than_its_event_and_its_lane() {
    let api = tracklane::testing::TrackingApi::start().unwrap();
    let analytics = vicious(Analytics::builder().segment(Segment::new("k").host(api.url())), false).build().unwrap();
    analytics.track(Track::new("x").user_id("u")).unwrap();
    for _ in 0..3 {
        analytics.track(Track::new("spared").user_id("u")).unwrap();
    }
    let flushed = analytics.flush_blocking(SOON);
    assert_eq!(flushed.pending, 0, "every event has its end: {:?}", analytics.stats());
    let stats = analytics.stats();
    assert!(stats.delivered >= 3, "{stats:?}");
    assert_eq!(stats.destinations[1].pending, 0, "{stats:?}");
}
