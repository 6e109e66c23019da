//! The batches of a driven client: as large as the destination's limits allow, unless a number of events is set.

use std::time::Duration;

use tracklane::plugin::{Batch, Batching, Destination, Flow, Plugin, Transform, enrichment};
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, TrackingApi};
use tracklane::{Analytics, BoxError, Event};

use super::{driven, http, poll_times};
use crate::support::{Log, SOON, api, track};

fn segment(api: &TrackingApi) -> Segment {
    Segment::new("WRITE_KEY").host(api.url()).http_client(http::client())
}

/// Accepts so many events, with so many bytes of filler each.
fn send(analytics: &Analytics, events: usize, bytes: usize) {
    for number in 0..events {
        analytics.track(track(&number.to_string()).property("filler", "x".repeat(bytes))).unwrap();
    }
}

/// The names of the events in each request after the first `before`, once a flush has ended.
#[track_caller]
fn flushed(analytics: &Analytics, api: &TrackingApi, before: usize) -> Vec<Vec<String>> {
    assert!(pollster::block_on(analytics.flush(SOON)).is_complete());
    let name = |event: &serde_json::Value| event["event"].as_str().unwrap_or_default().to_owned();
    api.requests().iter().skip(before).map(|request| request.events().iter().map(name).collect()).collect()
}

fn names(events: usize) -> Vec<String> {
    (0..events).map(|number| number.to_string()).collect()
}

/// Awaits something for each event, so that the lanes get their turn between any two.
struct Awaits;

impl Plugin for Awaits {
    fn name(&self) -> &str {
        "awaits"
    }
}

impl Transform for Awaits {
    async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Ok(Flow::Continue)
    }
}

#[test]
fn a_flush_is_one_request_however_many_events_wait() {
    let api = api();
    let analytics = driven(Analytics::builder().segment(segment(&api)));
    for round in 0..3 {
        send(&analytics, 100, 0);
        assert_eq!(flushed(&analytics, &api, round), [names(100)], "round {round}");
    }
}

#[test]
fn a_flush_is_one_request_also_where_plugins_await_something() {
    let api = api();
    let analytics = driven(Analytics::builder().segment(segment(&api)).plugin(enrichment(Awaits)));
    for round in 0..3 {
        send(&analytics, 40, 0);
        assert_eq!(flushed(&analytics, &api, round), [names(40)], "round {round}");
    }
}

#[test]
fn more_than_a_request_may_hold_is_cut_at_its_limits() {
    let api = api();
    // With one place the requests arrive in order.
    let analytics = driven(Analytics::builder().segment(segment(&api).max_in_flight(1)));
    // Some 20 KB each: 24 are 500 KB.
    for round in [0, 3] {
        send(&analytics, 60, 20_000);
        let requests = flushed(&analytics, &api, round);
        assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [24, 24, 12]);
        assert_eq!(requests.concat(), names(60));
    }
    assert!(api.requests().iter().all(|request| request.body().len() <= 500_000));
    send(&analytics, 2_600, 0);
    let requests = flushed(&analytics, &api, 6);
    assert!(requests.iter().all(|events| events.len() <= 2_500));
    assert_eq!((requests.len(), requests.concat()), (2, names(2_600)), "small events: by their bytes or their number");
}

#[test]
fn a_number_of_events_that_is_set_holds() {
    let api = api();
    let analytics = driven(Analytics::builder().segment(segment(&api).flush_at(15).max_in_flight(100)));
    send(&analytics, 100, 0);
    let requests = flushed(&analytics, &api, 0);
    assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [15, 15, 15, 15, 15, 15, 10]);
}

#[test]
fn the_default_of_a_client_with_a_thread_stays() {
    let api = api();
    let settings = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url()).max_in_flight(100));
    let analytics = settings.build().unwrap();
    send(&analytics, 100, 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    let mut sizes: Vec<usize> = api.requests().iter().map(|request| request.events().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [10, 15, 15, 15, 15, 15, 15]);
}

#[test]
fn while_it_is_driven_a_batch_leaves_by_its_age() {
    let (api, clock) = (api(), ManualClock::new());
    let analytics = driven(Analytics::builder().segment(segment(&api)).clock(clock.clone()));
    send(&analytics, 100, 0);
    assert!(poll_times(analytics.drive(), 20).is_none());
    assert_eq!(api.request_count(), 0, "a hundred make no batch due");
    clock.advance(Segment::FLUSH_INTERVAL);
    assert!(poll_times(analytics.drive(), 20).is_none());
    assert_eq!((api.request_count(), api.events().len()), (1, 100));
}

#[test]
fn an_author_says_whether_a_number_is_a_default() {
    let every = Batching::every(4, Duration::from_secs(3600)).max_events(10);
    for (batching, expected) in [(every, vec![4, 4, 4, 4, 4, 4, 1]), (every.full_when_driven(), vec![10, 10, 5])] {
        let sizes = Log::new();
        let log = sizes.clone();
        let destination = Destination::from_fn("counts", move |batch: Batch| {
            log.push(batch.len());
            async { Ok::<(), std::io::Error>(()) }
        });
        let destination = destination.batching(batching).max_in_flight(100);
        let analytics = driven(Analytics::builder().plugin(destination));
        send(&analytics, 25, 0);
        assert!(pollster::block_on(analytics.flush(SOON)).is_complete());
        assert_eq!(sizes.all(), expected, "{batching:?}");
    }
}
