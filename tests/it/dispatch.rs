//! A caller that waits for an event does not wait until its batch is full.

use std::time::Duration;

use tracklane::testing::Reply;
use tracklane::{Analytics, Outcome};

use crate::support::{SOON, api, quick_retries, segment, track};

const HOUR: Duration = Duration::from_secs(3600);

/// A client whose batches leave after an hour, or with a thousand events.
fn patient(api: &tracklane::testing::TrackingApi) -> Analytics {
    Analytics::builder().segment(segment(api).flush_at(1_000).flush_interval(HOUR)).build().unwrap()
}

#[test]
fn a_receipt_that_is_waited_for_takes_what_waits_along_at_once() {
    let api = api();
    let analytics = patient(&api);
    for _ in 0..5 {
        analytics.track(track("before")).unwrap();
    }
    let end = analytics.send_with_receipt(track("waited for")).unwrap().wait_timeout(SOON).unwrap();
    assert_eq!(end.outcome, Outcome::Delivered);
    assert_eq!((api.request_count(), api.events().len()), (1, 6), "one request has them all");
    // Later events wait for their own batch.
    analytics.track(track("after")).unwrap();
    let again = analytics.send_with_receipt(track("waited for")).unwrap().wait_timeout(SOON).unwrap();
    assert!(again.is_delivered());
    assert_eq!((api.request_count(), api.events().len()), (2, 8));
}

#[tokio::test]
async fn a_receipt_that_is_awaited_does_not_take_ten_seconds() {
    let api = api();
    let analytics = patient(&api);
    let sent = async { analytics.send_with_receipt(track("awaited")).unwrap().await };
    assert!(tokio::time::timeout(SOON, sent).await.unwrap().is_delivered());
    // It need not be the first poll that is pending, nor the last.
    let mut receipt = analytics.send_with_receipt(track("polled")).unwrap();
    for _ in 0..10_000 {
        if tokio::time::timeout(Duration::from_millis(1), &mut receipt).await.is_ok() {
            break;
        }
    }
    assert_eq!(api.events().len(), 2);
}

#[test]
fn many_receipts_that_are_waited_for_together_leave_together() {
    let api = api();
    let analytics = patient(&api);
    let receipts: Vec<_> = (0..500).map(|_| analytics.send_with_receipt(track("waited for")).unwrap()).collect();
    assert!(receipts.into_iter().all(|receipt| receipt.wait_timeout(SOON).unwrap().is_delivered()));
    assert_eq!((api.request_count(), api.events().len()), (1, 500));
}

#[test]
fn a_receipt_that_nobody_waits_for_changes_nothing() {
    let api = api();
    let analytics = patient(&api);
    let receipts: Vec<_> = (0..3).map(|_| analytics.send_with_receipt(track("alone")).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(api.request_count(), 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(receipts.into_iter().all(|receipt| receipt.wait().is_delivered()));
}

#[test]
fn each_destination_and_each_retry_is_waited_for() {
    let api = api();
    api.script([Reply::status(500), Reply::status(500)]);
    let (other, arrived) = crate::support::recorder("other");
    let other = other.batching(tracklane::plugin::Batching::every(1_000, HOUR));
    let settings =
        Analytics::builder().segment(segment(&api).flush_at(1_000).flush_interval(HOUR).retry(quick_retries(5)));
    let analytics = settings.plugin(other).build().unwrap();
    let end = analytics.send_with_receipt(track("waited for")).unwrap().wait_timeout(SOON).unwrap();
    assert!(end.destinations.len() == 2 && end.destinations.iter().all(|at| at.outcome.is_delivered()));
    assert_eq!((api.request_count(), arrived.len()), (3, 1));
}

#[test]
fn threads_that_each_wait_for_their_events_do_not_wait_for_each_other() {
    let api = api();
    let analytics = patient(&api);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(
                        analytics.send_with_receipt(track("x")).unwrap().wait_timeout(SOON).unwrap().is_delivered()
                    );
                }
            });
        }
    });
    assert_eq!(api.events().len(), 160);
}
