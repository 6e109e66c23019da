//! The property that holds at every moment: each accepted event is delivered, dropped with a reason, or pending, and
//! has exactly one end.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tracklane::plugin::{Answer, Batch, Batching, Destination, Flow, Verdict, before_fn};
use tracklane::testing::Reply;
use tracklane::{Analytics, BoxError, Event, Outcome, Stats};

use crate::support::{Log, SOON, api, quick_retries, recorder, segment, track};

#[derive(Clone, Copy, Debug)]
enum Call {
    Good,
    /// Dropped by a plugin.
    Stopped,
    /// For no destination but Segment.
    OnlySegment,
    /// To no destination.
    Nowhere,
    /// Refused at the call.
    Invalid,
    Flush,
}

#[derive(Clone, Copy, Debug)]
enum Server {
    Answers(u16),
    Resets,
    Closes,
    IsSlow(u64),
    Garbles,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        10 => Just(Call::Good),
        2 => Just(Call::Stopped),
        2 => Just(Call::OnlySegment),
        1 => Just(Call::Nowhere),
        1 => Just(Call::Invalid),
        1 => Just(Call::Flush),
    ]
}

fn server() -> impl Strategy<Value = Server> {
    const STATUSES: &[u16] = &[200, 200, 200, 204, 301, 400, 401, 404, 408, 413, 429, 500, 501, 503];
    prop_oneof![
        6 => prop::sample::select(STATUSES).prop_map(Server::Answers),
        1 => Just(Server::Resets),
        1 => Just(Server::Closes),
        2 => (0..8_u64).prop_map(Server::IsSlow),
        1 => Just(Server::Garbles),
    ]
}

fn reply(server: Server) -> Reply {
    match server {
        Server::Answers(status) => Reply::status(status),
        Server::Resets => Reply::reset(),
        Server::Closes => Reply::close(),
        Server::IsSlow(milliseconds) => Reply::ok().delay(Duration::from_millis(milliseconds)),
        Server::Garbles => Reply::garbage("HTTP/9.9 what?\r\n\r\n"),
    }
}

fn balanced(stats: &Stats) -> Result<(), TestCaseError> {
    prop_assert_eq!(stats.accepted, stats.delivered + stats.dropped.total() + stats.pending, "{:?}", stats);
    for one in &stats.destinations {
        prop_assert_eq!(one.accepted, one.delivered + one.dropped.total() + one.pending, "{:?}", one);
        prop_assert!(one.queued_events <= one.pending && one.retries <= one.attempts, "{:?}", one);
        prop_assert!(one.accepted <= stats.accepted, "{:?}", stats);
    }
    Ok(())
}

/// A destination that gives these verdicts in turn.
fn moody(verdicts: Vec<Verdict>) -> (Destination, Log<String>) {
    let (took, log) = (Log::new(), Log::new());
    let mut turn = 0;
    let given: Log<String> = took;
    let keep = log.clone();
    let destination = Destination::from_fn("moody", move |batch: Batch| {
        turn += 1;
        let verdict = verdicts.get(turn % verdicts.len().max(1)).copied().unwrap_or(Verdict::Delivered);
        if verdict == Verdict::Delivered {
            batch.messages().for_each(|message| keep.push(message.message_id().into_owned()));
        }
        given.push(format!("{verdict:?}"));
        async move { Ok::<Answer, BoxError>(verdict.into()) }
    });
    (destination.batching(Batching::every(4, Duration::from_millis(2))).retry(quick_retries(2)), log)
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let some = [
        Verdict::Delivered,
        Verdict::Retry,
        Verdict::Split,
        Verdict::SplitIfProven,
        Verdict::Reject,
        Verdict::Unauthorized,
    ];
    prop::collection::vec(prop::sample::select(some.to_vec()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn accepted_is_delivered_and_dropped_and_pending_at_every_sample(
        calls in prop::collection::vec(call(), 1..80),
        replies in prop::collection::vec(server(), 0..40),
        verdicts in verdicts(),
        flush_at in 1..12_usize,
        in_flight in 1..4_usize,
        retries in 0..3_u32,
    ) {
        let api = api();
        api.script(replies.into_iter().map(reply));
        let (moody, moody_has) = moody(verdicts);
        let stop = before_fn("stop", |event: &mut Event| match event.name().as_deref() {
            Some("stop") => Flow::drop("told to"),
            _ => Flow::Continue,
        });
        let settings = Analytics::builder().segment(segment(&api).flush_at(flush_at).max_in_flight(in_flight).retry(quick_retries(retries)));
        let analytics = settings.plugin(moody).plugin(stop).build().unwrap();

        let done = AtomicBool::new(false);
        let (sampled, receipts, refused) = std::thread::scope(|scope| {
            // While the calls go on, and once more when they are over: they may be quicker than a thread begins.
            let sampler = scope.spawn(|| {
                loop {
                    let last = done.load(Ordering::Acquire);
                    balanced(&analytics.stats())?;
                    if last {
                        return Ok::<(), TestCaseError>(());
                    }
                }
            });
            let (receipts, refused) = play(&analytics, &calls);
            done.store(true, Ordering::Release);
            (sampler.join().unwrap(), receipts, refused)
        });
        sampled?;

        // Exactly one end each, and the counts say the same as the receipts.
        let mut ends = BTreeMap::new();
        for receipt in receipts {
            let end = receipt.wait();
            prop_assert!(ends.insert(end.message_id.clone(), end).is_none(), "a second end");
        }
        let stats = analytics.stats();
        balanced(&stats)?;
        let delivered = ends.values().filter(|end| end.is_delivered()).count() as u64;
        prop_assert_eq!((stats.pending, stats.accepted, stats.refused), (0, ends.len() as u64, refused));
        prop_assert_eq!((stats.delivered, stats.dropped.total()), (delivered, stats.accepted - delivered));
        for (reason, count) in stats.dropped.iter() {
            let told = ends.values().filter(|end| end.outcome == Outcome::Dropped(reason)).count() as u64;
            prop_assert_eq!(told, count, "{}", reason);
        }
        // A destination has every event that it acknowledged, and no event that was never sent.
        for (name, there) in [("Segment.io", api.delivered_ids()), ("moody", moody_has.all())] {
            let unique: BTreeSet<&String> = there.iter().collect();
            prop_assert_eq!(unique.len(), there.len(), "{} has an event twice", name);
            let told: BTreeSet<&String> = ends.values().filter(|end| has(end, name)).map(|end| &end.message_id).collect();
            prop_assert_eq!(unique, told, "{}", name);
            let counted = stats.destinations.iter().find(|one| &*one.name == name).unwrap().delivered;
            prop_assert_eq!(counted, there.len() as u64, "{}", name);
        }
    }
}

fn has(end: &tracklane::Settlement, name: &str) -> bool {
    end.destinations.iter().any(|one| &*one.destination == name && one.outcome.is_delivered())
}

/// Makes the calls and closes. Returns the receipts, and how many calls were refused.
fn play(analytics: &Analytics, calls: &[Call]) -> (Vec<tracklane::Receipt>, u64) {
    let (mut receipts, mut refused) = (Vec::new(), 0);
    for (number, call) in calls.iter().enumerate() {
        let event = track("x").message_id(number.to_string());
        let event = match call {
            Call::Good => event,
            Call::Stopped => track("stop").message_id(number.to_string()),
            Call::OnlySegment => event.integration("All", false),
            Call::Nowhere => event.integration("All", false).integration("Segment.io", false),
            Call::Invalid => event.property("price", f64::NAN),
            Call::Flush => {
                analytics.flush_blocking(SOON);
                continue;
            }
        };
        match analytics.send_with_receipt(event) {
            Ok(receipt) => receipts.push(receipt),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(analytics.close_blocking(SOON).pending, 0);
    (receipts, refused)
}

#[test]
fn many_threads_and_a_close_in_the_middle_lose_nothing_and_count_nothing_twice() {
    let (destination, arrived) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let accepted: Log<String> = Log::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (analytics, accepted) = (&analytics, &accepted);
            scope.spawn(move || {
                for number in 0..500 {
                    let id = format!("{thread}/{number}");
                    if analytics.track(track("x").message_id(&id)).is_ok() {
                        accepted.push(id);
                    }
                }
            });
        }
        scope.spawn(|| {
            accepted.wait_for(200);
            assert!(analytics.close_blocking(SOON).is_complete());
        });
    });
    let (accepted, arrived) = (accepted.all(), arrived.ids());
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.accepted + stats.refused), (accepted.len() as u64, 2_000));
    assert_eq!(arrived.len(), accepted.len());
    assert_eq!(arrived.into_iter().collect::<HashSet<_>>(), accepted.into_iter().collect());
}
