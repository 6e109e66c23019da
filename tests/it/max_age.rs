//! Destinations do not send events that are too old for them.

use std::time::{Duration, SystemTime};

use tracklane::plugin::{Batching, RetryPolicy, Verdict};
use tracklane::testing::{ManualClock, RecordingDestination};
use tracklane::{Analytics, DropReason, Outcome};

use crate::support::{SOON, eventually, track, with_failures};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_event_that_is_too_old_is_dropped_and_the_others_of_its_batch_are_sent() {
    let recording = RecordingDestination::new("d");
    let destination = recording.destination().batching(Batching::every(3, HOUR)).max_age(72 * HOUR);
    let clock = ManualClock::new();
    let builder = Analytics::builder().clock(clock.clone()).plugin(destination);
    let (builder, failures) = with_failures(builder);
    let analytics = builder.build().unwrap();
    let now: SystemTime = clock.now();
    let send = |age: Duration| analytics.send_with_receipt(track("x").timestamp(now - age)).unwrap();
    let ends = [send(73 * HOUR), send(72 * HOUR), send(Duration::ZERO)].map(|receipt| receipt.wait());
    let outcomes: Vec<_> = ends.iter().map(|end| end.outcome).collect();
    assert_eq!(outcomes, [Outcome::Dropped(DropReason::TooOld), Outcome::Delivered, Outcome::Delivered]);
    let error = format!("{:#}", ends[0].destinations[0].error.as_ref().unwrap());
    assert_eq!(error, "older than the 259200 s of `max_age`");
    assert_eq!((recording.batches().len(), recording.events().len()), (1, 2));
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.failed), (2, 1), "it is a loss");
    assert!(failures.all().iter().any(|failure| failure.dropped == Some(DropReason::TooOld)));
}

#[test]
fn an_event_that_grows_old_while_the_destination_fails_is_not_tried_again() {
    let recording = RecordingDestination::new("d");
    recording.answer_with(|_| Verdict::Retry.into());
    let retry = RetryPolicy::new().schedule(|_| Duration::from_secs(1800));
    let destination = recording.destination().max_age(HOUR).retry(retry);
    let clock = ManualClock::new();
    let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
    let receipt = analytics.send_with_receipt(track("x")).unwrap();
    for attempt in 1..=3 {
        eventually("the attempt", || recording.batches().len() == attempt);
        let wait = Duration::from_secs(1800);
        assert!(clock.wait_for_sleeper(wait..=wait), "{attempt}: {:?}", clock.next_wake());
        clock.advance(wait);
    }
    let end = receipt.wait_timeout(SOON).expect("it ends at 90 minutes");
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::TooOld));
    assert_eq!(recording.batches().len(), 3, "at 0, 30 and 60 minutes, and not at 90");
}
