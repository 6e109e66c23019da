//! Plugins that fail to load: the events of a missing destination are lost and reported, and events do not skip a
//! missing before plugin.

use std::time::Duration;

use pollster::block_on;
use tracklane::event::Kind;
use tracklane::plugin::{Batch, Batching, Destination, Host, Overflow, Plugin, QueueLimits, Registration, before_fn};
use tracklane::testing::{ManualClock, RecordingDestination};
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, FlushReport, Outcome, RegisterError};

use crate::support::{SOON, recorder, track};

#[derive(Clone, Copy, Debug)]
enum Load {
    Fails,
    Panics,
    Hangs,
}

struct Broken(Load);

impl Plugin for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        match self.0 {
            Load::Fails => Err("out of paper".into()),
            Load::Panics => panic!("on purpose"),
            Load::Hangs => std::future::pending().await,
        }
    }
}

fn unloadable(how: Load) -> Destination {
    recorder("broken").0.lifecycle(Broken(how))
}

/// A client with manual time, and its time run on until everything has loaded or failed.
fn loaded(how: Load, settings: Builder) -> Analytics {
    let clock = ManualClock::new();
    let analytics = settings.clock(clock.clone()).build().unwrap();
    if matches!(how, Load::Hangs) {
        assert!(clock.wait_for_sleeper(Duration::from_secs(9)..), "nothing waits for the load");
        clock.advance(Duration::from_secs(11));
    }
    analytics
}

fn reason(analytics: &Analytics, event: impl Into<Event>) -> Outcome {
    analytics.send_with_receipt(event).unwrap().wait().outcome
}

/// A client that has sent an event, and the report of a flush that began before the event had an outcome. A worker may be
/// done before the flush begins; its report is empty then, and the next client tries.
fn flushed(client: impl Fn() -> Analytics) -> (Analytics, FlushReport) {
    let flush = |_| {
        let analytics = client();
        analytics.track(track("lost")).unwrap();
        let report = analytics.flush_blocking(SOON);
        (analytics, report)
    };
    let found = (0..100).map(flush).find(|(_, report)| *report != FlushReport::default());
    found.expect("a flush that began in time has the event in its report")
}

const LOST: Outcome = Outcome::Dropped(DropReason::Unavailable);
const UNWANTED: Outcome = Outcome::Dropped(DropReason::NoDestination);

#[test]
fn events_for_a_destination_that_did_not_load_are_lost_and_not_unwanted() {
    for how in [Load::Fails, Load::Panics, Load::Hangs] {
        let (analytics, report) = flushed(|| loaded(how, Analytics::builder().plugin(unloadable(how))));
        assert!(!report.is_complete(), "{how:?}: a lost event was called complete: {report:?}");
        assert_eq!((report.failed, report.dropped), (1, 0), "{how:?}: {report:?}");
        assert_eq!(analytics.stats().dropped.get(DropReason::Unavailable), 1, "{how:?}");
        assert!(!analytics.close_blocking(SOON).is_complete(), "{how:?}");
    }
}

#[test]
fn only_what_the_missing_destination_was_to_have_is_lost() {
    let only_identify = Registration::from(unloadable(Load::Fails)).only([Kind::Track]);
    let analytics = Analytics::builder().plugin(only_identify).build().unwrap();
    assert_eq!(reason(&analytics, track("x")), LOST);
    assert_eq!(reason(&analytics, track("x").integration("broken", false)), UNWANTED);
    assert_eq!(reason(&analytics, track("x").integration("All", false)), UNWANTED);
    assert_eq!(reason(&analytics, tracklane::Identify::new().user_id("u")), UNWANTED, "another kind");
}

#[test]
fn another_destination_goes_on_and_a_client_that_never_had_one_misses_none() {
    let (works, arrived) = recorder("works");
    let analytics = Analytics::builder().plugin(works).plugin(unloadable(Load::Fails)).build().unwrap();
    assert_eq!(reason(&analytics, track("x")), Outcome::Delivered);
    assert_eq!(reason(&analytics, track("y").integration("works", false)), LOST, "it was for the other alone");
    assert_eq!(arrived.names(), ["x"]);

    let analytics = Analytics::builder().build().unwrap();
    assert_eq!(reason(&analytics, track("x")), UNWANTED);
    assert!(analytics.flush_blocking(SOON).is_complete());
}

#[test]
fn a_registration_that_failed_is_missed_until_it_succeeds_or_is_taken_back() {
    let analytics = Analytics::builder().build().unwrap();
    assert_eq!(reason(&analytics, track("before")), UNWANTED);
    assert!(block_on(analytics.register(unloadable(Load::Fails))).is_err());
    assert_eq!(reason(&analytics, track("lost")), LOST);

    let (works, arrived) = recorder("broken");
    block_on(analytics.register(works)).expect("the name is free");
    assert_eq!(reason(&analytics, track("after")), Outcome::Delivered);
    assert_eq!(arrived.names(), ["after"]);
    block_on(analytics.deregister("broken")).unwrap();
    assert_eq!(reason(&analytics, track("nobody")), UNWANTED, "deregistered on purpose");

    assert!(block_on(analytics.register(unloadable(Load::Panics))).is_err());
    assert_eq!(reason(&analytics, track("lost")), LOST);
    block_on(analytics.deregister("broken")).expect("nobody waits for it any more");
    assert_eq!(reason(&analytics, track("nobody")), UNWANTED);
    let unknown = block_on(analytics.deregister("broken"));
    assert!(matches!(unknown, Err(RegisterError::Unknown { .. })), "{unknown:?}");
}

#[test]
fn what_is_sent_while_a_destination_loads_is_pending_and_then_has_the_end_of_the_load() {
    let clock = ManualClock::new();
    let analytics = Analytics::builder().plugin(unloadable(Load::Hangs)).clock(clock.clone()).build().unwrap();
    assert!(clock.wait_for_sleeper(Duration::from_secs(9)..), "nothing waits for the load");
    let receipt = analytics.send_with_receipt(track("x")).unwrap();
    let report = analytics.flush_blocking(Duration::from_millis(20));
    assert_eq!((report.pending, report.dropped, report.is_complete()), (1, 0, false), "{report:?}");
    clock.advance(Duration::from_secs(11));
    assert_eq!(receipt.wait().outcome, LOST);
}

#[test]
fn an_event_that_a_plugin_made_unfit_is_a_loss() {
    let recorder = RecordingDestination::new("recorder");
    let forget = || before_fn("forget", |event: &mut Event| event.set_user_id(""));
    let client = || Analytics::builder().plugin(recorder.destination()).plugin(forget()).build().unwrap();
    let (analytics, report) = flushed(client);
    assert_eq!((report.failed, report.is_complete()), (1, false), "nobody asked for it: {report:?}");
    assert_eq!((analytics.stats().dropped.get(DropReason::Invalid), recorder.events().len()), (1, 0));
}

fn unloadable_before(how: Load) -> Registration {
    tracklane::plugin::before(Broken(how))
}

impl tracklane::plugin::Transform for Broken {
    async fn transform(&self, _: &mut Event) -> Result<tracklane::plugin::Flow, BoxError> {
        unreachable!("it was never loaded")
    }
}

const CLOSED: Outcome = Outcome::Dropped(DropReason::BeforeFailed);

/// It may be the one that redacts.
#[test]
fn no_event_passes_by_a_before_plugin_that_did_not_load() {
    for how in [Load::Fails, Load::Panics, Load::Hangs] {
        let ((destination, arrived), said) = (recorder("r"), crate::support::Log::new());
        let heard = said.clone();
        let settings = Analytics::builder().plugin(unloadable_before(how)).plugin(destination);
        let settings = settings.on(tracklane::signal::Error, move |failure| heard.push(failure.clone()));
        let analytics = loaded(how, settings);
        assert_eq!(reason(&analytics, track("passed")), CLOSED, "{how:?}: an event passed by the plugin");
        let by_hand = block_on(tower::ServiceExt::oneshot(analytics.pipeline(), track("by hand").into()));
        assert!(by_hand.is_err(), "{how:?}: an event passed by the plugin by hand");
        assert_eq!(arrived.len(), 0, "{how:?}");
        let stats = analytics.stats();
        assert_eq!((stats.dropped.get(DropReason::BeforeFailed), stats.pending), (2, 0), "{how:?}");
        assert_eq!((stats.dropped.deliberate(), analytics.close_blocking(SOON).failed), (0, 2), "{how:?}: a loss");
        assert_eq!(stats.plugins[0].failed, 2, "{how:?}: it stands in the books of the plugin");
        crate::support::eventually("error says so", || said.len() == 2);
        let [load, event] = &said.all()[..] else { panic!("{how:?}") };
        assert!(load.message.contains("is dropped until it is registered or deregistered"), "{how:?}: {load}");
        assert_eq!((&*event.origin, event.dropped), ("broken", Some(DropReason::BeforeFailed)), "{how:?}: {event}");
    }
}

#[test]
fn only_what_the_before_plugin_was_to_see_is_dropped_until_it_is_there_or_taken_back() {
    let (destination, arrived) = recorder("r");
    let only_track = unloadable_before(Load::Fails).only([Kind::Track]);
    let analytics = Analytics::builder().plugin(destination).plugin(only_track).build().unwrap();
    assert_eq!(reason(&analytics, track("1")), CLOSED);
    assert_eq!(reason(&analytics, tracklane::Identify::new().user_id("u")), Outcome::Delivered, "another kind");

    block_on(analytics.register(before_fn("broken", |_: &mut Event| ()))).expect("the name is free");
    assert_eq!(reason(&analytics, track("2")), Outcome::Delivered, "registered again");
    block_on(analytics.deregister("broken")).unwrap();
    assert!(block_on(analytics.register(unloadable_before(Load::Panics))).is_err());
    assert_eq!(reason(&analytics, track("3")), CLOSED, "registered later");
    block_on(analytics.deregister("broken")).expect("nobody waits for it any more");
    assert_eq!(reason(&analytics, track("4")), Outcome::Delivered, "deregistered on purpose");
    assert_eq!(arrived.len(), 3);
}

#[test]
fn without_an_enrichment_that_did_not_load_events_go_on_and_error_says_so() {
    let ((destination, arrived), said) = (recorder("r"), crate::support::Log::new());
    let heard = said.clone();
    let enrichment = tracklane::plugin::enrichment(Broken(Load::Fails));
    let settings = Analytics::builder().plugin(destination).plugin(enrichment);
    let settings = settings.on(tracklane::signal::Error, move |failure| heard.push(failure.message.clone()));
    let analytics = settings.build().unwrap();
    assert_eq!(reason(&analytics, track("x")), Outcome::Delivered);
    assert_eq!(arrived.len(), 1);
    crate::support::eventually("error says so", || said.len() == 1);
    assert!(said.all()[0].ends_with("out of paper; events go on without it"), "{:?}", said.all());
}

/// A destination that takes its time, so that its queue fills.
fn stuck() -> Destination {
    Destination::from_fn("stuck", |_: Batch| std::future::pending::<Result<(), BoxError>>())
        .batching(Batching::every(1_000, Duration::from_secs(60)))
}

#[test]
fn the_limits_of_the_client_hold_for_a_destination_without_its_own_and_for_what_stands_in_for_it() {
    let in_front =
        |of: Destination| of.with_service(tower::service_fn(|_: Batch| std::future::pending::<Result<(), BoxError>>()));
    let own = || stuck().queue(QueueLimits::new(7, 1 << 20).overflow(Overflow::DropOldest));
    for (what, destination, room) in [
        ("of the client", stuck(), 100),
        ("of the client, in front", in_front(stuck()), 100),
        ("its own", own(), 7),
        ("its own, in front", in_front(own()), 7),
    ] {
        let settings = Analytics::builder().max_queue_size(100).overflow(Overflow::DropOldest);
        let analytics = settings.plugin(destination).build().unwrap();
        for n in 0..300 {
            while analytics.track(track(&n.to_string())).is_err() {
                std::thread::yield_now();
            }
        }
        crate::support::eventually("the oldest gave way", || {
            analytics.stats().dropped.get(DropReason::QueueFull) == 300 - room
        });
        assert_eq!(analytics.stats().pending, room, "{what}");
        analytics.close_blocking(Duration::ZERO);
    }
}

/// More than a destination may have by default.
#[test]
fn a_client_whose_queue_is_larger_than_ten_thousand_has_it_at_the_destination_too() {
    let analytics = Analytics::builder().max_queue_size(20_000).plugin(stuck()).build().unwrap();
    (0..12_000).for_each(|n| analytics.track(track(&n.to_string())).unwrap());
    assert_eq!(analytics.flush_blocking(Duration::from_millis(300)).pending, 12_000);
    assert_eq!(analytics.stats().dropped.total(), 0);
    analytics.close_blocking(Duration::ZERO);
}

#[test]
fn what_is_registered_later_under_a_name_that_is_taken_is_told_and_not_missed() {
    let (destination, arrived) = recorder("same");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let refused = block_on(analytics.register(before_fn("same", |_: &mut Event| ())));
    assert!(matches!(refused, Err(RegisterError::Duplicate { .. })), "{refused:?}");
    assert_eq!((reason(&analytics, track("x")), arrived.len()), (Outcome::Delivered, 1));
}
