//! Sending without async code while the queue is full, and destinations that read their events.

use std::time::{Duration, Instant};

use serde_json::Value;
use tracklane::plugin::{Batch, Destination};
use tracklane::testing::Reply;
use tracklane::{Analytics, BoxError, Page};

use crate::support::{Arrived, SOON, api, segment, track};

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
