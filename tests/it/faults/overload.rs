//! Overload: full queues and bursts.

use std::time::{Duration, Instant};

use tracklane::plugin::Overflow;
use tracklane::segment::Segment;
use tracklane::testing::Reply;
use tracklane::{Analytics, DropReason, Track};

use crate::support::{SOON, Trial, eventually};

#[test]
fn a_full_queue_refuses_new_events_and_says_so_once() {
    let mut trial = Trial::with(|settings| settings.max_queue_size(50));
    trial.api.set_default(Reply::hang());
    trial.send(50);
    for _ in 0..100 {
        let refused = trial.try_send().expect_err("the queue is full");
        assert!(refused.is_queue_full(), "{refused}");
        assert_eq!(refused.into_event().kind(), tracklane::Kind::Track, "the event comes back");
    }
    let stats = trial.assert_books_balance();
    assert_eq!((stats.accepted, stats.refused), (50, 100));
    trial.wait_for_failure("the episode", |failure| failure.message.contains("the queue is full"));
    let closed = trial.analytics.close_blocking(Duration::from_millis(50));
    assert_eq!((closed.pending, closed.unsent.len()), (50, 50));
    assert_eq!(trial.ends().failures.len(), 1, "one report for the episode");
}

#[test]
fn a_full_queue_drops_the_oldest_if_that_is_wanted() {
    let mut trial = Trial::with_both(
        |segment| segment.http_request_timeout(SOON),
        |settings| settings.max_queue_size(50).overflow(Overflow::DropOldest),
    );
    trial.api.script([Reply::hang()]);
    trial.send(1);
    trial.api.wait_for_requests(1, SOON);
    for batch in 1..=4 {
        trial.send(30);
        // Each is with its destination before the next comes, so that no call finds the front of the queue full.
        eventually("the lane has them", || trial.assert_books_balance().destinations[0].accepted == 1 + 30 * batch);
    }
    let stats = trial.assert_books_balance();
    assert_eq!(stats.dropped.get(DropReason::QueueFull), 71, "50 of 121 are under way: {stats:?}");
    let closed = trial.analytics.close_blocking(Duration::from_millis(50));
    let last: Vec<String> = closed.unsent.iter().map(|event| event.message_id().into_owned()).collect();
    assert_eq!(last.first().map(String::as_str), Some("m-000000"), "what is in flight is not dropped");
    assert_eq!(last.last().map(String::as_str), Some("m-000120"), "the newest is kept");
    assert_eq!(trial.ends().failures.len(), 1, "one report for the episode");
}

#[test]
pub(super) fn a_queue_that_was_full_takes_events_again() {
    let mut trial = Trial::with_both(
        |segment| segment.http_request_timeout(Duration::from_millis(500)),
        |settings| settings.max_queue_size(10),
    );
    trial.api.script([Reply::hang()]);
    trial.send(10);
    assert!(trial.try_send().is_err());
    assert_eq!(trial.settled().0, 10);
    trial.survives();
}

#[test]
pub(super) fn a_burst_keeps_connections_few_and_loses_nothing() {
    let mut trial =
        Trial::with_both(|segment| segment.max_in_flight(4).flush_at(100), |settings| settings.max_queue_size(60_000))
            .unordered();
    trial.send(20_000);
    assert_eq!(trial.settled(), (20_000, 0));
    assert!(trial.api.max_in_flight() <= 4, "{} requests at once", trial.api.max_in_flight());
    assert!(trial.api.connections() <= 5, "{} connections", trial.api.connections());
    trial.survives();
}

#[test]
fn a_queue_is_bounded_in_bytes_too() {
    let api = tracklane::testing::TrackingApi::start().expect("a free port");
    api.set_default(Reply::hang());
    let bound = 1024 * 1024;
    let analytics = Analytics::builder()
        .segment(Segment::new("key").host(api.url()))
        .max_queue_bytes(bound)
        .build()
        .expect("valid");
    let text = "x".repeat(10_000);
    let start = Instant::now();
    let mut accepted = 0;
    while analytics.track(Track::new("Large").user_id("u1").property("text", &text)).is_ok() {
        accepted += 1;
        assert!(start.elapsed() < SOON, "no end to it");
    }
    assert!((90..=105).contains(&accepted), "{accepted} events of 10 kB in 1 MiB");
    analytics.close_blocking(Duration::from_millis(10));
}

#[test]
fn the_oldest_give_way_to_as_many_bytes_as_come() {
    let limit = 100_000;
    let (small, large) = ("s".repeat(100), "l".repeat(20_000));
    let api = tracklane::testing::TrackingApi::start().unwrap();
    api.set_default(Reply::hang());
    let segment = Segment::new("k").host(api.url()).flush_at(2_500);
    let settings = Analytics::builder().segment(segment).max_queue_bytes(limit).overflow(Overflow::DropOldest);
    // Somebody who listens to calls has the client look for each at once.
    let analytics = settings.on_name("track", |_| {}).build().unwrap();
    let mut sent = 0;
    for text in [&small, &large] {
        for _ in 0..50 {
            sent += 1;
            analytics.track(Track::new("x").user_id("u").property("text", text.as_str())).unwrap();
            eventually("the lane has it", || {
                analytics.stats().destinations.first().is_some_and(|it| it.accepted == sent)
            });
        }
        let queued = analytics.stats().destinations[0].queued_bytes;
        assert!(queued <= limit as u64, "{queued} bytes of at most {limit} wait");
    }
    let stats = analytics.stats();
    assert!(stats.pending >= 1 && stats.dropped.get(DropReason::QueueFull) + stats.pending == 100, "{stats:?}");
    analytics.close_blocking(Duration::ZERO);
}

#[test]
fn a_queue_smaller_than_a_batch_does_not_stall() {
    let api = tracklane::testing::TrackingApi::start().unwrap();
    let segment = Segment::new("k").host(api.url()).flush_interval(Duration::from_secs(3600)).flush_at(100);
    let analytics = Analytics::builder().segment(segment).max_queue_size(10).build().unwrap();
    for _ in 0..10 {
        analytics.track(Track::new("x").user_id("u")).unwrap();
    }
    assert_eq!(api.wait_for_events(10, SOON).len(), 10, "they leave, though fewer than a batch can ever wait");
}

#[test]
fn an_episode_of_overflow_is_said_once() {
    for (overflow, reply) in [
        (Overflow::DropOldest, Reply::hang()),
        (Overflow::RefuseNew, Reply::hang()),
        (Overflow::RefuseNew, Reply::ok().delay(Duration::from_millis(1))),
    ] {
        let trial = Trial::with_both(
            |segment| segment.max_in_flight(8),
            |settings| settings.max_queue_size(100).overflow(overflow),
        );
        trial.api.set_default(reply);
        for number in 0..20_000 {
            let _ = trial.analytics.track(Track::new("x").user_id(number));
        }
        let dropped = trial.assert_books_balance().dropped.get(DropReason::QueueFull);
        assert!(dropped + trial.analytics.stats().refused > 100, "{overflow:?}: it overflows");
        trial.analytics.close_blocking(Duration::ZERO);
        let full = trial.failures().iter().filter(|failure| failure.message.contains("the queue is full")).count();
        // One of the queue in front of the destination, and one of the destination's own.
        assert!((1..=2).contains(&full), "{overflow:?}: {full} reports");
    }
}
