//! Tower layers around one destination.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower::buffer::BufferLayer;
use tower::limit::{ConcurrencyLimitLayer, RateLimitLayer};
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;
use tower_service::Service;
use tracklane::plugin::{Answer, Batch, BatchService, Destination};
use tracklane::{Analytics, BoxError, DropReason};

use crate::support::{Arrived, Log, SOON, quick_retries, recorder, track, with_failures};

/// Sends `events` to the destination. Returns the report of `close` and the counts.
fn play(destination: Destination, events: usize) -> (tracklane::CloseReport, tracklane::Stats) {
    let (other, to_other) = recorder("other");
    let analytics = Analytics::builder().plugin(destination).plugin(other).build().unwrap();
    for number in 0..events {
        analytics.track(track(&number.to_string())).unwrap();
    }
    let report = analytics.close_blocking(SOON);
    assert_eq!(to_other.len(), events, "whatever the layer does, the other destination has them");
    (report, analytics.stats())
}

/// A destination whose deliveries take a moment, with the most that were under way at once.
fn slow() -> (Destination, Arrived, Arc<AtomicUsize>) {
    let (arrived, most, now) = (Arrived::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (log, highest) = (arrived.clone(), most.clone());
    let destination = Destination::from_fn("slow", move |batch: Batch| {
        let (log, highest, now) = (log.clone(), highest.clone(), now.clone());
        async move {
            highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            log.keep(&batch);
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<(), BoxError>(())
        }
    });
    (destination, arrived, most)
}

#[test]
fn without_a_layer_eight_are_under_way_at_once_or_as_many_as_are_set() {
    for (limit, expected) in [(None, 8), (Some(3), 3), (Some(1), 1)] {
        let (mut destination, arrived, most) = slow();
        if let Some(limit) = limit {
            destination = destination.max_in_flight(limit);
        }
        let (report, _) = play(destination, 40);
        assert!(report.is_complete());
        assert_eq!((arrived.len(), most.load(Ordering::SeqCst)), (40, expected));
    }
}

#[test]
fn a_concurrency_limit_holds_and_nothing_stands_still() {
    let (destination, arrived, most) = slow();
    let (report, stats) = play(destination.layer(ConcurrencyLimitLayer::new(2)), 40);
    assert!(report.is_complete());
    assert_eq!((arrived.len(), most.load(Ordering::SeqCst)), (40, 2));
    assert_eq!(stats.destinations[0].retries, 0);
}

#[test]
fn a_rate_limit_spreads_deliveries() {
    let times = Log::new();
    let log = times.clone();
    let destination = Destination::from_fn("slow", move |_: Batch| {
        log.push(Instant::now());
        async { Ok::<(), BoxError>(()) }
    });
    let start = Instant::now();
    let (report, _) = play(destination.layer(RateLimitLayer::new(2, Duration::from_millis(20))), 6);
    assert!(report.is_complete());
    let last = times.all()[5] - start;
    assert!(last >= Duration::from_millis(40), "six are three turns: {last:?}");
}

#[test]
fn a_timeout_is_a_failed_attempt() {
    let destination = Destination::from_fn("stuck", |_: Batch| std::future::pending::<Result<(), BoxError>>())
        .retry(quick_retries(2))
        .layer(TimeoutLayer::new(Duration::from_millis(5)));
    let (_, stats) = play(destination, 3);
    let stuck = &stats.destinations[0];
    assert_eq!(stuck.dropped.get(DropReason::RetriesExhausted), 3);
    assert_eq!((stuck.attempts, stuck.retries), (9, 6));
}

#[test]
fn load_that_is_shed_is_tried_again() {
    let (destination, arrived, _) = slow();
    let destination =
        destination.retry(quick_retries(1_000)).layer(ConcurrencyLimitLayer::new(1)).layer(LoadShedLayer::new());
    let (report, stats) = play(destination, 20);
    assert!(report.is_complete());
    assert_eq!((arrived.len(), stats.destinations[0].delivered), (20, 20));
}

#[test]
fn a_buffer_passes_everything_on() {
    let (destination, arrived) = recorder("buffered");
    let (report, _) = play(destination.layer(BufferLayer::new(4)), 50);
    assert!(report.is_complete());
    assert_eq!(arrived.len(), 50);
}

/// Takes one batch and is dead then.
struct Mortal(bool);

impl Service<Batch> for Mortal {
    type Response = Answer;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(if self.0 { Err("out of paper".into()) } else { Ok(()) })
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.0 = true;
        std::future::ready(Ok(().into()))
    }
}

#[test]
fn a_service_that_will_never_be_ready_again_takes_no_more_and_says_so() {
    let (other, arrived) = recorder("other");
    let (settings, failures) =
        with_failures(Analytics::builder().plugin(Destination::new("mortal", Mortal(false))).plugin(other));
    let analytics = settings.build().unwrap();
    for number in 0..10 {
        analytics.track(track(&number.to_string())).unwrap();
        assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    }
    assert_eq!(arrived.len(), 10);
    let mortal = &analytics.stats().destinations[0];
    assert_eq!((mortal.delivered, mortal.dropped.get(DropReason::Unavailable), mortal.pending), (1, 9, 0));
    let failure = &failures.wait_for(1)[0];
    assert!(failure.message.contains("can take no more events: out of paper"), "{failure}");
    assert_eq!(failure.dropped, Some(DropReason::Unavailable));
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.failed, report.failed_deliveries, report.pending), (10, 0, 9, 0));
    assert!(!report.is_complete(), "one of the two destinations lost nine");
}

/// Panics every other time it is asked whether it is ready.
struct Panics(u32);

impl Service<Batch> for Panics {
    type Response = Answer;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0 += 1;
        assert!(self.0.is_multiple_of(2), "out of paper");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        std::future::ready(Ok(().into()))
    }
}

#[test]
fn a_service_that_panics_when_it_is_asked_loses_that_batch_and_goes_on() {
    let (settings, failures) = with_failures(Analytics::builder().plugin(Destination::new("panics", Panics(0))));
    let analytics = settings.build().unwrap();
    for number in 0..4 {
        analytics.track(track(&number.to_string())).unwrap();
        assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    }
    let panics = &analytics.stats().destinations[0];
    assert_eq!((panics.dropped.get(DropReason::Panicked), panics.delivered), (2, 2));
    let failure = &failures.wait_for(2)[0];
    assert_eq!((&*failure.origin, failure.dropped), ("panics", Some(DropReason::Panicked)));
    assert!(failure.message.contains("panicked: out of paper"), "{failure}");
}

#[test]
fn a_layer_that_panics_is_a_destination_that_could_not_be_loaded() {
    let layer = tower::layer::layer_fn(|_: BatchService| -> BatchService { panic!("out of paper") });
    let analytics = Analytics::builder().build().unwrap();
    let error = pollster::block_on(analytics.register(recorder("r").0.layer(layer))).unwrap_err();
    assert_eq!(error.to_string(), "the plugin \"r\" could not be loaded: panicked: out of paper");
    let (other, arrived) = recorder("r");
    pollster::block_on(analytics.register(other)).unwrap();
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), 1);
}

#[test]
fn the_whole_pipeline_takes_a_rate_limit_too() {
    let (destination, arrived) = recorder("r");
    let limit = RateLimitLayer::new(2, Duration::from_millis(10));
    let analytics = Analytics::builder().plugin(destination).layer(limit).build().unwrap();
    let start = Instant::now();
    for _ in 0..6 {
        analytics.track(track("x")).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), 6);
    assert!(start.elapsed() >= Duration::from_millis(18), "{:?}", start.elapsed());
}
