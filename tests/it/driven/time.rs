//! Time while a client is driven: intervals, retries, pauses, and the sleep of the host.

use std::future::ready;
use std::time::{Duration, Instant};

use tracklane::plugin::Batching;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Analytics, signal};

use super::{driven, hanging, http, poll_times};
use crate::support::{Log, SOON, api, quick_retries, recorder, track};

#[test]
fn an_interval_that_is_over_is_noticed_when_it_is_driven() {
    let (destination, arrived) = recorder("r");
    let clock = ManualClock::new();
    let hour = Duration::from_secs(3600);
    let settings = Analytics::builder().plugin(destination.batching(Batching::every(100, hour)));
    let analytics = driven(settings.clock(clock.clone()));
    analytics.track(track("x")).unwrap();
    assert!(poll_times(analytics.drive(), 20).is_none());
    clock.advance(hour);
    assert_eq!(arrived.len(), 0);
    assert!(poll_times(analytics.drive(), 20).is_none());
    assert_eq!(arrived.len(), 1);
}

#[test]
fn a_retry_and_a_pause_pass_while_it_is_driven() {
    let (api, failures) = (api(), Log::new());
    api.script([Reply::status(503), Reply::status(429).header("retry-after", "1"), Reply::ok()]);
    let log = failures.clone();
    let segment = Segment::new("k").host(api.url()).http_client(http::client()).retry(quick_retries(3));
    let settings =
        Analytics::builder().segment(segment).on(signal::Error, move |failure| log.push(failure.to_string()));
    let analytics = driven(settings);
    analytics.track(track("x")).unwrap();
    let start = Instant::now();
    assert_eq!(pollster::block_on(analytics.flush(SOON)).delivered, 1);
    assert!(start.elapsed() >= Duration::from_secs(1), "the pause: {:?}", start.elapsed());
    assert_eq!((api.request_count(), api.events().len()), (3, 1));
    assert!(failures.all().iter().any(|failure| failure.contains("503")), "{:?}", failures.all());
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
}

#[test]
fn a_sleep_that_never_waits_or_panics_hangs_nobody() {
    let limit = Duration::from_millis(50);
    let never_waits = Analytics::builder().plugin(hanging()).driven(|_| ready(())).build().unwrap();
    never_waits.track(track("x")).unwrap();
    let start = Instant::now();
    assert_eq!(pollster::block_on(never_waits.flush(limit)).pending, 1);
    // Without a timer of the host's, who blocks has a deadline of its own.
    let panics = Analytics::builder().plugin(hanging());
    let panics = panics.driven(|_| -> std::future::Ready<()> { panic!("on purpose: a sleep") }).build().unwrap();
    panics.track(track("x")).unwrap();
    assert_eq!(panics.flush_blocking(limit).pending, 1);
    assert_eq!(panics.close_blocking(limit).unsent.len(), 1);
    assert!(start.elapsed() < SOON / 4, "{:?}", start.elapsed());
}
