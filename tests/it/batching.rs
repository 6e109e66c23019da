//! When batches leave, how many events they have, and how many are in flight at once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, BoxError};

use crate::support::{SOON, api, quick_retries, segment, track};

const HOUR: Duration = Duration::from_secs(3600);

fn send(analytics: &Analytics, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        analytics.track(track("x").message_id(id.to_string())).unwrap();
    }
}

/// Events per request, in order of arrival.
fn batches(api: &TrackingApi) -> Vec<usize> {
    api.requests().iter().map(|request| request.events().len()).collect()
}

/// Holds the first request until the sender is dropped.
fn hold_first(api: &TrackingApi) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(Some(held));
    api.reply_with(move |_| {
        let first = held.lock().unwrap().take();
        if let Some(held) = first {
            let _ = held.recv();
        }
        Reply::as_segment()
    });
    release
}

#[test]
fn forty_five_events_at_twenty_are_twenty_twenty_and_five() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(20)).build().unwrap();
    send(&analytics, 0..45);
    assert!(analytics.close_blocking(SOON).is_complete());
    let mut sizes = batches(&api);
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 20, 20]);
}

#[test]
fn a_batch_that_is_full_waits_for_nobody_and_one_that_is_not_for_the_interval() {
    let (api, clock) = (api(), ManualClock::new());
    let ten = Duration::from_secs(10);
    // Another timeout, so that only the interval is ten seconds.
    let segment = segment(&api).http_request_timeout(Duration::from_secs(20)).flush_at(3);
    let analytics = Analytics::builder().segment(segment).clock(clock.clone()).build().unwrap();
    send(&analytics, 0..3);
    assert_eq!(api.wait_for_events(3, SOON).len(), 3);
    send(&analytics, 3..5);
    assert!(clock.wait_for_sleeper(ten..=ten), "the interval begins with the first");
    clock.advance(ten - Duration::from_millis(1));
    assert!(clock.wait_for_sleeper(..=Duration::from_millis(1)), "it still waits");
    assert_eq!(api.request_count(), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(api.wait_for_events(5, SOON).len(), 5);
    assert_eq!(batches(&api), [3, 2]);
}

#[test]
fn the_interval_comes_round_again_and_again() {
    let (api, clock) = (api(), ManualClock::new());
    let interval = Duration::from_millis(600);
    let analytics =
        Analytics::builder().segment(segment(&api).flush_interval(interval)).clock(clock.clone()).build().unwrap();
    for round in 1..=5 {
        send(&analytics, [round]);
        assert!(clock.wait_for_sleeper(interval..=interval));
        clock.advance(interval);
        assert_eq!(api.wait_for_events(round as usize, SOON).len(), round as usize);
    }
    assert_eq!(api.request_count(), 5, "one each");
}

/// A client that looks seldom for events takes the time that they waited for that from the time of their batch.
#[test]
fn events_that_come_seldom_leave_after_their_interval_all_the_same() {
    let interval = Duration::from_millis(600);
    let (arrived, arrivals) = mpsc::channel();
    let takes = move |batch: Batch| {
        batch
            .into_iter()
            .for_each(|message| arrived.send((message.message_id().into_owned(), Instant::now())).unwrap());
        async { Ok::<_, BoxError>(()) }
    };
    let destination = Destination::from_fn("takes", takes).batching(Batching::every(100, interval));
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let mut sent = HashMap::new();
    for id in 0..20 {
        sent.insert(id.to_string(), Instant::now());
        send(&analytics, [id]);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let waited: Vec<_> = arrivals.iter().map(|(id, at)| at - sent[&id]).collect();
    assert_eq!(waited.len(), 20);
    let most = waited.iter().max().unwrap();
    assert!(*most < interval + Duration::from_millis(400), "an event waited {most:?} for a batch of {interval:?}");
}

#[test]
fn bytes_that_wait_in_the_client_have_it_look_before_its_queue_is_full() {
    let api = api();
    let segment = segment(&api).flush_at(1_000).flush_interval(Duration::from_secs(5));
    let analytics = Analytics::builder().segment(segment).max_queue_bytes(100_000).build().unwrap();
    for id in 0..40 {
        let event = track("x").message_id(id.to_string()).property("filler", "x".repeat(10_000));
        analytics.track(event).unwrap_or_else(|refused| panic!("event {id}: {refused}"));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
}

#[test]
fn batches_grow_while_every_slot_is_busy() {
    let api = api();
    let release = hold_first(&api);
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1).max_in_flight(1)).build().unwrap();
    send(&analytics, [0]);
    assert_eq!(api.wait_for_requests(1, SOON).len(), 1);
    send(&analytics, 1..=50);
    let pending = || analytics.stats().destinations[0].queued_events == 50;
    crate::support::eventually("fifty wait", pending);
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(batches(&api), [1, 50]);
}

#[test]
fn no_batch_has_more_than_two_thousand_five_hundred_events() {
    let api = api();
    let release = hold_first(&api);
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1).max_in_flight(1)).build().unwrap();
    send(&analytics, [0]);
    assert_eq!(api.wait_for_requests(1, SOON).len(), 1);
    for id in 1..=6_000_u32 {
        analytics.alias(tracklane::Alias::new(id, "u").message_id(id.to_string())).unwrap();
    }
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(batches(&api).iter().sum::<usize>(), 6_001);
    assert!(batches(&api).iter().all(|events| *events <= 2_500), "{:?}", batches(&api));
    assert!(batches(&api).iter().any(|events| *events > 1_000), "{:?}", batches(&api));
}

#[test]
fn bytes_make_a_batch_due_too() {
    let api = api();
    let analytics = Analytics::builder().segment(segment(&api).flush_at(2_500).flush_interval(HOUR)).build().unwrap();
    for _ in 0..20 {
        analytics.track(track("x").property("filler", "x".repeat(30_000))).unwrap();
    }
    // Sixteen fit: they leave by themselves, the others with the flush.
    assert_eq!(api.wait_for_events(16, SOON).len(), 16);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(batches(&api), [16, 4]);
}

fn many(sizes: &[usize], change: impl FnOnce(Segment) -> Segment) -> TrackingApi {
    let api = api();
    api.reply_with(|_| Reply::as_segment().delay(Duration::from_millis(2)));
    let segment = change(segment(&api)).flush_interval(HOUR);
    let analytics = Analytics::builder().segment(segment).build().unwrap();
    for size in sizes {
        let text = "€".repeat(size / 3) + &"x".repeat(size % 3);
        analytics.track(track("x").property("filler", text)).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    api
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Segment answers 400 to a larger body, and 200 to more events, which it discards.
    #[test]
    fn no_body_is_over_the_limits(
        sizes in prop::collection::vec(prop_oneof![0..200_usize, 5_000..32_000_usize], 1..120),
        flush_at in 1..2_500_usize,
        in_flight in 1..9_usize,
    ) {
        let api = many(&sizes, |segment| segment.flush_at(flush_at).max_in_flight(in_flight));
        prop_assert_eq!(api.events().len(), sizes.len());
        for request in api.requests() {
            prop_assert!(request.body().len() <= 500_000, "{}", request.body().len());
            prop_assert!(request.events().len() <= 2_500);
        }
        prop_assert!(api.max_in_flight() <= in_flight);
    }
}

#[test]
fn one_in_flight_keeps_the_order_through_retries() {
    let api = api();
    api.script([Reply::ok(), Reply::status(503), Reply::reset(), Reply::ok(), Reply::status(500)]);
    let settings = Analytics::builder().segment(segment(&api).flush_at(7).max_in_flight(1).retry(quick_retries(10)));
    let analytics = settings.build().unwrap();
    send(&analytics, 0..100);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.delivered_ids(), (0..100).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(api.max_in_flight(), 1);
}

#[test]
fn eight_requests_are_under_way_at_once_and_no_more() {
    let api = api();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    api.reply_with(move |_| {
        let _ = held.lock().unwrap().recv();
        Reply::as_segment()
    });
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).build().unwrap();
    for id in 0..8 {
        send(&analytics, [id]);
        assert_eq!(api.wait_for_requests(id as usize + 1, SOON).len(), id as usize + 1);
    }
    send(&analytics, 8..20);
    crate::support::eventually("twelve wait", || analytics.stats().destinations[0].queued_events == 12);
    drop(release);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.max_in_flight(), 8);
    assert_eq!(api.events().len(), 20);
}
