//! Answers for each event: only the events with the verdict `Retry` are sent again, and each event has the outcome of
//! its answer.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use tracklane::plugin::{Answer, Batch, Batching, Destination, RetryPolicy, Verdict, after_fn};
use tracklane::testing::{ManualClock, RecordingDestination};
use tracklane::{Analytics, DropReason, Outcome, Receipt, Settlement};

use crate::support::{Log, SOON, eventually, quick_retries, track, with_failures};

const HOUR: Duration = Duration::from_secs(3600);

fn ids(batch: &Batch) -> Vec<String> {
    batch.messages().map(|message| message.message_id().into_owned()).collect()
}

/// A recording that gets batches of `events` events.
fn recording(events: usize) -> (RecordingDestination, Destination) {
    let recording = RecordingDestination::new("d");
    let destination = recording.destination().batching(Batching::every(events, HOUR).max_events(events));
    (recording, destination)
}

fn send(analytics: &Analytics, ids: impl IntoIterator<Item = usize>) -> Vec<Receipt> {
    ids.into_iter().map(|id| analytics.send_with_receipt(track("x").message_id(format!("m{id}"))).unwrap()).collect()
}

/// Returns how each event ended at its only destination, and why.
fn ends(receipts: Vec<Receipt>) -> Vec<(Outcome, Option<String>)> {
    let end = |receipt: Receipt| {
        let end = receipt.wait();
        let [there] = &*end.destinations else { panic!("{end:?}") };
        assert_eq!(there.outcome, end.outcome, "there is one destination");
        (end.outcome, there.error.as_ref().map(|error| format!("{error:#}")))
    };
    receipts.into_iter().map(end).collect()
}

#[test]
fn a_batch_that_is_taken_in_part_counts_each_event_as_it_ended() {
    let (recording, destination) = recording(5);
    recording.answer_with(|batch| match batch.attempt() {
        1 => {
            let refused = Answer::new(Verdict::Reject).with_error("event m1: `time` is in the future");
            let skipped = Answer::skip("it knows no such thing");
            Answer::each(Verdict::Delivered, [(1, refused), (2, Verdict::Retry.into()), (3, skipped)])
        }
        _ => Verdict::Delivered.into(),
    });
    let builder = Analytics::builder().plugin(destination.retry(quick_retries(3)));
    let (builder, failures) = with_failures(builder);
    let analytics = builder.build().unwrap();
    let ends = ends(send(&analytics, 0..5));
    let rejected = Outcome::Dropped(DropReason::Rejected);
    let skipped = Outcome::Dropped(DropReason::Skipped);
    assert_eq!(
        ends,
        [
            (Outcome::Delivered, None),
            (rejected, Some("event m1: `time` is in the future".to_owned())),
            (Outcome::Delivered, None),
            (skipped, Some("it knows no such thing".to_owned())),
            (Outcome::Delivered, None),
        ]
    );
    let batches: Vec<_> = recording.batches().iter().map(|batch| (ids(batch), batch.attempt())).collect();
    let all = ["m0", "m1", "m2", "m3", "m4"].map(str::to_owned).to_vec();
    assert_eq!(batches, [(all, 1), (vec!["m2".to_owned()], 2)], "only what must come again does");
    let stats = analytics.stats();
    let there = &stats.destinations[0];
    assert_eq!((there.delivered, there.attempts, there.retries), (3, 2, 1));
    for dropped in [&there.dropped, &stats.dropped] {
        assert_eq!((dropped.get(DropReason::Rejected), dropped.get(DropReason::Skipped)), (1, 1));
        assert_eq!((dropped.total(), dropped.deliberate()), (2, 1), "what is skipped is no loss");
    }
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.failed, report.pending), (3, 1, 0), "{report:?}");
    let told: Vec<_> = failures.all().iter().map(|failure| (failure.dropped, failure.events)).collect();
    assert_eq!(told, [(Some(DropReason::Rejected), 1)], "neither the skip nor the retry of a part is an error");
}

#[test]
fn errors_that_differ_are_each_told_with_their_event_and_reported_once() {
    let (recording, destination) = recording(3);
    recording.answer_with(|batch| {
        let errors = ids(batch).into_iter().enumerate();
        Answer::each(Verdict::Reject, errors.map(|(at, id)| (at, Answer::new(Verdict::Reject).with_error(id))))
    });
    let (builder, failures) = with_failures(Analytics::builder().plugin(destination));
    let analytics = builder.build().unwrap();
    let told: Vec<_> = ends(send(&analytics, 0..3)).into_iter().map(|(_, error)| error.unwrap()).collect();
    assert_eq!(told, ["m0", "m1", "m2"]);
    analytics.close_blocking(SOON);
    let reports: Vec<_> = failures.all().iter().map(ToString::to_string).collect();
    assert_eq!(reports, ["d: 3 events dropped (rejected): the first: m0"]);
}

#[test]
fn what_comes_again_waits_as_its_verdict_says_and_holds_back_nobody() {
    // Verdict on event 1 of two, the wait, whether the next batch waits, too.
    let table = [
        (Verdict::Retry, Duration::from_secs(7), false),
        (Verdict::Pause(Duration::from_secs(9)), Duration::from_secs(9), true),
    ];
    for (verdict, wait, holds_back) in table {
        let (recording, destination) = recording(2);
        recording.answer_with(move |batch| match (batch.number(), batch.attempt()) {
            (1, 1) => Answer::each(Verdict::Delivered, [(1, verdict)]),
            _ => Verdict::Delivered.into(),
        });
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().schedule(|_| Duration::from_secs(7));
        let builder = Analytics::builder().clock(clock.clone());
        let analytics = builder.plugin(destination.retry(retry)).build().unwrap();
        let first = send(&analytics, 0..2);
        eventually("the first attempt", || recording.batches().len() == 1);
        assert!(clock.wait_for_sleeper(wait..=wait), "{verdict:?}: {:?}", clock.next_wake());
        let second = send(&analytics, 2..4);
        if !holds_back {
            eventually("the batch behind it", || recording.batches().len() == 2);
        }
        clock.advance(wait);
        assert!(ends(first).iter().chain(&ends(second)).all(|(outcome, _)| outcome.is_delivered()), "{verdict:?}");
        let batches: Vec<_> = recording.batches().iter().map(|batch| ids(batch).join(" ")).collect();
        let expected = if holds_back { ["m0 m1", "m1", "m2 m3"] } else { ["m0 m1", "m2 m3", "m1"] };
        assert_eq!(batches, expected, "{verdict:?}");
        assert!(analytics.close_blocking(SOON).is_complete());
    }
}

#[test]
fn a_part_that_is_too_large_is_split_and_the_guilty_event_found() {
    let (recording, destination) = recording(8);
    recording.answer_with(|batch| {
        let is_guilty = |id: &String| id == "m5";
        let ids = ids(batch);
        match (batch.attempt(), ids.len()) {
            // The first half is taken.
            (1, _) => Answer::each(Verdict::Delivered, (4..8).map(|at| (at, Verdict::SplitIfProven))),
            (_, 1) if ids.iter().any(is_guilty) => Verdict::SplitIfProven.into(),
            _ if ids.iter().any(is_guilty) => Verdict::Split.into(),
            _ => Verdict::Delivered.into(),
        }
    });
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let ends = ends(send(&analytics, 0..8));
    let lost: Vec<usize> = (0..8).filter(|at| !ends[*at].0.is_delivered()).collect();
    assert_eq!((lost, ends[5].0), (vec![5], Outcome::Dropped(DropReason::Rejected)));
    analytics.close_blocking(SOON);
}

#[test]
fn with_one_place_what_comes_again_keeps_its_order_and_holds_back_those_behind_it() {
    let (recording, destination) = recording(4);
    recording.answer_with(|batch| match (batch.number(), batch.attempt()) {
        (1, 1) => Answer::each(Verdict::Retry, [(1, Verdict::Delivered)]),
        _ => Verdict::Delivered.into(),
    });
    let destination = destination.max_in_flight(1).retry(quick_retries(3));
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    send(&analytics, 0..8).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
    let taken: Vec<_> = recording.events().iter().map(|event| event.message_id().into_owned()).collect();
    assert_eq!(taken, ["m1", "m0", "m2", "m3", "m4", "m5", "m6", "m7"]);
}

#[test]
fn an_event_that_one_destination_skips_is_what_the_others_say_of_it() {
    let table = [
        (Verdict::Skip, Verdict::Delivered, Outcome::Delivered),
        (Verdict::Skip, Verdict::Reject, Outcome::Dropped(DropReason::Rejected)),
        (Verdict::Skip, Verdict::Skip, Outcome::Dropped(DropReason::Skipped)),
    ];
    for (one, other, expected) in table {
        // The skip comes last, and first.
        for slow_first in [false, true] {
            let seen: Log<Settlement> = Log::new();
            let keep = seen.clone();
            let after = after_fn("after", move |_, end: &Settlement| keep.push(end.clone()));
            let answering = |name: &str, verdict: Verdict, slow: bool| {
                Destination::from_fn(name, move |_: Batch| async move {
                    let wait = if slow { Duration::from_millis(20) } else { Duration::ZERO };
                    tokio::time::sleep(wait).await;
                    Ok::<_, std::io::Error>(Answer::new(verdict).with_error("as the test says"))
                })
            };
            let analytics = Analytics::builder()
                .plugin(answering("one", one, !slow_first))
                .plugin(answering("other", other, slow_first))
                .plugin(after)
                .build()
                .unwrap();
            let end = analytics.send_with_receipt(track("x")).unwrap().wait();
            assert_eq!(end.outcome, expected, "{one:?} and {other:?}: {end:?}");
            let of_skip = end.destinations.iter().find(|there| &*there.destination == "one").unwrap();
            assert_eq!(of_skip.outcome, Outcome::Dropped(DropReason::Skipped));
            assert_eq!(format!("{:#}", of_skip.error.as_ref().unwrap()), "as the test says");
            let report = analytics.close_blocking(SOON);
            assert_eq!(report.failed, u64::from(expected.is_failed()), "{one:?} and {other:?}: {report:?}");
            assert_eq!(seen.wait_for(1)[0].outcome, expected, "after plugins see it, too");
        }
    }
}

#[test]
fn a_whole_batch_that_is_skipped_does_not_fail_the_destination() {
    let (recording, destination) = recording(1);
    recording.answer_with(|_| Answer::skip("it knows no such thing"));
    let (builder, failures) = with_failures(Analytics::builder().plugin(destination));
    let analytics = builder.build().unwrap();
    let ends = ends(send(&analytics, 0..3));
    assert!(ends.iter().all(|(outcome, _)| *outcome == Outcome::Dropped(DropReason::Skipped)), "{ends:?}");
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert!(failures.all().is_empty());
}

/// The verdicts on an event at its first, second, … attempt. After them it is delivered.
fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let verdict = prop_oneof![
        4 => Just(Verdict::Delivered),
        4 => Just(Verdict::Retry),
        1 => Just(Verdict::Pause(Duration::from_millis(1))),
        1 => Just(Verdict::Split),
        1 => Just(Verdict::SplitIfProven),
        1 => Just(Verdict::Reject),
        1 => Just(Verdict::Skip),
        1 => Just(Verdict::Unauthorized),
    ];
    prop::collection::vec(verdict, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 256 }))]
    #[test]
    fn any_mix_of_answers_ends_every_event_once_as_its_last_answer_says(
        scripts in prop::collection::vec(verdicts(), 1..40),
        batch in 1..12_usize,
        places in 1..4_usize,
    ) {
        let log: Log<(String, Verdict)> = Log::new();
        let (heard, script) = (log.clone(), scripts.clone());
        let (recording, destination) = recording(batch);
        let attempts = std::sync::Mutex::new(HashMap::<String, usize>::new());
        recording.answer_with(move |batch| {
            let mut attempts = attempts.lock().unwrap();
            let answers = ids(batch).into_iter().map(|id| {
                let index: usize = id[1..].parse().unwrap();
                let attempt = attempts.entry(id.clone()).or_default();
                let verdict = script[index].get(*attempt).copied().unwrap_or(Verdict::Delivered);
                *attempt += 1;
                heard.push((id, verdict));
                verdict
            });
            Answer::each(Verdict::Reject, answers.enumerate().collect::<Vec<_>>())
        });
        let retry = RetryPolicy::new().max_retries(20).backoff(Duration::ZERO, Duration::ZERO);
        let destination = destination.max_in_flight(places).retry(retry);
        let analytics = Analytics::builder().plugin(destination).build().unwrap();
        let receipts = send(&analytics, 0..scripts.len());
        let report = analytics.flush_blocking(SOON);
        prop_assert_eq!(report.pending, 0);
        let mut last: HashMap<String, Vec<Verdict>> = HashMap::new();
        for (id, verdict) in log.all() {
            last.entry(id).or_default().push(verdict);
        }
        for (index, receipt) in receipts.into_iter().enumerate() {
            let (outcome, heard) = (receipt.wait().outcome, &last[&format!("m{index}")]);
            let (end, before) = heard.split_last().unwrap();
            let expected: &[Outcome] = match end {
                Verdict::Delivered => &[Outcome::Delivered],
                Verdict::Reject | Verdict::SplitIfProven => &[Outcome::Dropped(DropReason::Rejected)],
                Verdict::Skip => &[Outcome::Dropped(DropReason::Skipped)],
                Verdict::Unauthorized => &[Outcome::Dropped(DropReason::Unauthorized)],
                Verdict::Split => &[Outcome::Dropped(DropReason::TooLarge)],
                other => return Err(TestCaseError::fail(format!("m{index} ended after {other:?}"))),
            };
            prop_assert!(expected.contains(&outcome), "m{}: {:?} after {:?}", index, outcome, heard);
            let comes_again = |verdict: &Verdict| {
                matches!(verdict, Verdict::Retry | Verdict::Pause(_) | Verdict::Split | Verdict::SplitIfProven)
            };
            prop_assert!(before.iter().all(comes_again), "m{} was sent again after its end: {:?}", index, heard);
        }
        let stats = analytics.stats();
        prop_assert_eq!(stats.accepted, stats.delivered + stats.dropped.total());
        prop_assert_eq!(&stats.destinations[0].dropped, &stats.dropped);
        analytics.close_blocking(SOON);
    }
}
