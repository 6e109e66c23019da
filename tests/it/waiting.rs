//! Sending without async code while the queue is full, and destinations that read their events.

use std::time::{Duration, Instant};

use serde_json::Value;
use tracklane::plugin::{Answer, Batch, Batching, Destination, Overflow, QueueLimits, Verdict};
use tracklane::testing::{RecordingDestination, Reply};
use tracklane::{Analytics, BoxError, DestinationStats, DropReason, Page};

use crate::support::{Arrived, SOON, api, eventually, segment, track};

#[test]
fn a_blocking_send_waits_for_room() {
    let api = api();
    api.set_default(Reply::ok().delay(Duration::from_millis(1)));
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).max_queue_size(2).build().unwrap();
    for number in 0..100 {
        analytics.send_when_ready_blocking(track("Imported").property("row", number), SOON).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(analytics.stats().delivered, 100);
    assert!(analytics.send_when_ready_blocking(track("late"), SOON).unwrap_err().is_closed());
}

#[test]
fn a_blocking_send_gives_up_at_its_timeout_and_hands_the_event_back() {
    let api = api();
    api.set_default(Reply::hang());
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).max_queue_size(1).build().unwrap();
    analytics.track(track("takes the room")).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(50)] {
        let start = Instant::now();
        let error = analytics.send_when_ready_blocking(track("waits"), timeout).unwrap_err();
        assert!(error.is_queue_full(), "{error}");
        assert!(start.elapsed() >= timeout && start.elapsed() < SOON);
        assert_eq!(error.into_event().name().as_deref(), Some("waits"));
    }
    // An event that cannot be sent does not wait.
    assert!(analytics.send_when_ready_blocking(Page::new("no id"), SOON).unwrap_err().is_invalid());
    // A close ends the wait of another thread.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| analytics.send_when_ready_blocking(track("waits"), SOON * 10));
        std::thread::sleep(Duration::from_millis(20));
        analytics.close_blocking(Duration::ZERO);
        assert!(waiting.join().unwrap().unwrap_err().is_closed());
    });
}

/// A destination that takes single events, one by one, each this long after it came.
fn slow(name: &str, time: Duration) -> Destination {
    let take = move |_: Batch| async move {
        tokio::time::sleep(time).await;
        Ok::<(), BoxError>(())
    };
    Destination::from_fn(name, take).batching(Batching::every(10, Duration::from_millis(1))).max_in_flight(1)
}

/// The number of events that each destination has delivered, and has had no room for.
fn at_destinations(analytics: &Analytics) -> Vec<(u64, u64)> {
    let of = |stats: &DestinationStats| (stats.delivered, stats.dropped.get(DropReason::QueueFull));
    analytics.stats().destinations.iter().map(of).collect()
}

#[test]
fn a_send_that_waits_loses_nothing_at_a_destination_that_is_slower_than_another() {
    let quick = RecordingDestination::new("Quick");
    let analytics = Analytics::builder()
        .plugin(quick.destination())
        .plugin(slow("Slow", Duration::from_millis(2)))
        .max_queue_size(50)
        .build()
        .unwrap();
    for number in 0..2_000 {
        analytics.send_when_ready_blocking(track("Imported").property("row", number), SOON).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(at_destinations(&analytics), [(2_000, 0), (2_000, 0)]);
}

#[test]
fn a_send_that_waits_does_not_wait_for_a_destination_that_fails() {
    let (quick, down) = (RecordingDestination::new("Quick"), RecordingDestination::new("Down"));
    down.answer_with(|_| Answer::new(Verdict::Retry));
    let analytics =
        Analytics::builder().plugin(quick.destination()).plugin(down.destination()).max_queue_size(50).build().unwrap();
    for number in 0..2_000 {
        analytics.send_when_ready_blocking(track("Imported").property("row", number), SOON).unwrap();
    }
    eventually("the working destination has all", || at_destinations(&analytics)[0] == (2_000, 0));
    analytics.close_blocking(Duration::ZERO);
}

#[test]
fn a_destination_that_drops_its_events_costs_no_other_any() {
    let of =
        |verdict: Verdict| Destination::from_fn("Drops", move |_: Batch| async move { Ok::<_, BoxError>(verdict) });
    let hangs = |overflow| {
        Destination::from_fn("Hangs", |_: Batch| std::future::pending::<Result<(), BoxError>>())
            .queue(QueueLimits::new(10, 1 << 20).overflow(overflow))
    };
    let drops = [
        ("full", hangs(Overflow::RefuseNew)),
        ("full, the oldest gives way", hangs(Overflow::DropOldest)),
        ("refuses", of(Verdict::Reject)),
        ("wants another key", of(Verdict::Unauthorized)),
        ("has no such event", of(Verdict::Skip)),
        ("disabled", of(Verdict::Delivered).disable(true)),
    ];
    for (why, drops) in drops {
        let analytics = Analytics::builder()
            .plugin(slow("Works", Duration::from_millis(1)))
            .plugin(drops)
            .max_queue_size(50)
            .build()
            .unwrap();
        let taken = (0..20_000).filter(|_| analytics.track(track("A")).is_ok()).count() as u64;
        assert!(taken < 20_000, "the calls came faster than the destination took the events");
        let arrived = || at_destinations(&analytics)[0];
        eventually("the working destination is done", || arrived().0 + arrived().1 == taken);
        analytics.close_blocking(Duration::ZERO);
        assert_eq!(arrived(), (taken, 0), "the other one: {why}");
    }
}

#[test]
fn a_batch_is_iterated_over_and_a_message_serializes_as_its_event() {
    let (arrived, texts) = (Arrived::new(), Arrived::new());
    let destination = Destination::from_fn("webhook", {
        let (arrived, texts) = (arrived.clone(), texts.clone());
        move |batch: Batch| {
            for message in &batch {
                arrived.push(serde_json::to_value(message).unwrap());
                let text = serde_json::to_string(message).unwrap();
                assert_eq!(text.as_bytes(), message.json());
                texts.push(Value::from(text));
            }
            async { Ok::<(), BoxError>(()) }
        }
    });
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    analytics.track(track("A").property("big", u64::MAX).property("half", 0.5).property("none", ())).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let expected = serde_json::json!({"big": u64::MAX, "half": 0.5, "none": null});
    assert_eq!(arrived.all()[0]["properties"], expected);
    assert_eq!(texts.len(), 1);
}
