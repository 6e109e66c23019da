//! The counts add up, whatever is called, fails, and is driven how far.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tracklane::plugin::{Answer, Batch, Batching, Destination, Flow, Verdict, before_fn};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, Event, Outcome, Receipt, Stats};

use super::{driven, poll_times};
use crate::support::{quick_retries, track};

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(u8),
    /// A before plugin drops it.
    SendStopped,
    /// Polls so often, and lets go.
    Drive(usize),
    Flush(usize),
    /// Polls the oldest receipt so often.
    Receipt(usize),
    /// Time passes.
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..20_u8).prop_map(Step::Send),
        1 => Just(Step::SendStopped),
        3 => (0..4_usize).prop_map(Step::Drive),
        2 => (0..4_usize).prop_map(Step::Flush),
        1 => (0..3_usize).prop_map(Step::Receipt),
        3 => (0..2_000_u64).prop_map(Step::Advance),
    ]
}

/// What the destination does with a batch.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Answers(Verdict),
    Panics,
    Errs,
    Hangs,
}

fn fault() -> impl Strategy<Value = Fault> {
    let verdicts = [
        Verdict::Delivered,
        Verdict::Delivered,
        Verdict::Retry,
        Verdict::Split,
        Verdict::SplitIfProven,
        Verdict::Reject,
        Verdict::Unauthorized,
        Verdict::Pause(Duration::from_secs(1)),
    ];
    prop_oneof![
        8 => prop::sample::select(verdicts.to_vec()).prop_map(Fault::Answers),
        1 => Just(Fault::Panics),
        1 => Just(Fault::Errs),
        1 => Just(Fault::Hangs),
    ]
}

fn faulty(faults: Vec<Fault>) -> Destination {
    let mut turn = 0;
    let destination = Destination::from_fn("faulty", move |_: Batch| {
        let fault = faults.get(turn % faults.len().max(1)).copied().unwrap_or(Fault::Answers(Verdict::Delivered));
        turn += 1;
        async move {
            match fault {
                Fault::Answers(verdict) => Ok::<Answer, BoxError>(verdict.into()),
                Fault::Panics => panic!("on purpose: a destination"),
                Fault::Errs => Err("on purpose".into()),
                Fault::Hangs => std::future::pending().await,
            }
        }
    });
    let destination = destination.batching(Batching::every(4, Duration::from_secs(1))).retry(quick_retries(2));
    destination.attempt_timeout(Duration::from_secs(1)).max_in_flight(2)
}

fn balanced(stats: &Stats) -> Result<(), TestCaseError> {
    prop_assert_eq!(stats.accepted, stats.delivered + stats.dropped.total() + stats.pending, "{:?}", stats);
    for one in &stats.destinations {
        prop_assert_eq!(one.accepted, one.delivered + one.dropped.total() + one.pending, "{:?}", one);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_driven_client_gives_every_event_one_end(
        steps in prop::collection::vec(step(), 1..60),
        faults in prop::collection::vec(fault(), 1..8),
        closes in any::<bool>(),
    ) {
        let clock = ManualClock::new();
        let stop = before_fn("stop", |event: &mut Event| match event.name().as_deref() {
            Some("stop") => Flow::drop("told to"),
            _ => Flow::Continue,
        });
        let settings = Analytics::builder().plugin(faulty(faults)).plugin(stop).clock(clock.clone()).max_queue_size(200);
        let analytics = driven(settings);
        let (mut receipts, mut refused, mut sent): (Vec<Receipt>, u64, usize) = (Vec::new(), 0, 0);
        for step in steps {
            match step {
                Step::Send(events) => for _ in 0..events {
                    sent += 1;
                    match analytics.send_with_receipt(track("x").message_id(sent.to_string())) {
                        Ok(receipt) => receipts.push(receipt),
                        Err(_) => refused += 1,
                    }
                },
                Step::SendStopped => {
                    sent += 1;
                    match analytics.send_with_receipt(track("stop").message_id(sent.to_string())) {
                        Ok(receipt) => receipts.push(receipt),
                        Err(_) => refused += 1,
                    }
                }
                Step::Drive(times) => assert!(poll_times(analytics.drive(), times).is_none()),
                Step::Flush(times) => drop(poll_times(analytics.flush(Duration::from_secs(1000)), times)),
                Step::Receipt(times) => if let Some(receipt) = receipts.first_mut() {
                    let _ = poll_times(receipt, times);
                },
                Step::Advance(milliseconds) => clock.advance(Duration::from_millis(milliseconds)),
            }
            balanced(&analytics.stats())?;
        }
        let accepted = receipts.len() as u64;
        let unsent = if closes {
            let report = pollster::block_on(analytics.close(Duration::from_millis(5)));
            prop_assert_eq!(report.unsent.len() as u64, report.pending);
            let stats = analytics.stats();
            balanced(&stats)?;
            prop_assert_eq!((stats.pending, stats.accepted, stats.refused), (0, accepted, refused));
            report.unsent.len()
        } else {
            0
        };
        drop(analytics);
        let mut ends = BTreeMap::new();
        let mut closed = 0;
        for receipt in receipts {
            let Some(end) = poll_times(receipt, 1) else { panic!("an event has no end") };
            closed += usize::from(end.outcome == Outcome::Dropped(tracklane::DropReason::Closed));
            prop_assert!(ends.insert(end.message_id.clone(), end).is_none(), "a second end");
        }
        prop_assert_eq!(ends.len() as u64, accepted);
        prop_assert!(!closes || closed == unsent, "{} handed back, {} dropped as closed", unsent, closed);
    }
}
