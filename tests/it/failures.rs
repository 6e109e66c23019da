//! The signal `error`: whether events are lost or retried, and how often it is emitted.

use std::time::Duration;

use tracklane::BoxError;
use tracklane::plugin::{Batch, Batching, Destination, Flow, Verdict, before_fn, enrichment_fn};
use tracklane::signal::{self, Failure, LostEvents};
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Analytics, Builder, DropReason, Event, Kind};

use crate::support::{Log, SOON, api, recorder, segment, track, with_failures};

/// The facts of a failure that a listener can see.
pub(crate) fn facts(failure: &Failure) -> (bool, bool, Option<DropReason>, Option<String>, Option<u16>) {
    let status = failure.status().map(|status| status.as_u16());
    (failure.is_loss(), failure.retried, failure.dropped, failure.destination().map(str::to_owned), status)
}

#[test]
fn a_plugin_that_is_passed_over_is_neither_a_loss_nor_a_retry() {
    let fails = enrichment_fn("fails", |_: &mut Event| Err::<(), BoxError>("no geo".into()));
    let (settings, failures) = with_failures(Analytics::builder().plugin(fails).plugin(recorder("r").0));
    let analytics = settings.build().unwrap();
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(facts(&failures.wait_for(1)[0]), (false, false, None, None, None));
}

/// The reason, the destination and the names of events that were lost together.
type Lost = (DropReason, Option<String>, Vec<String>);

/// Collects lost events.
fn with_lost(builder: Builder) -> (Builder, Log<Lost>) {
    let lost = Log::new();
    let log = lost.clone();
    let listener = move |lost: &LostEvents| {
        let names = lost.events().map(|event| event.name().unwrap_or_default().into_owned()).collect();
        log.push((lost.reason, lost.destination.as_deref().map(str::to_owned), names));
    };
    (builder.on(signal::Lost, listener), lost)
}

#[test]
fn lost_events_are_handed_over_wherever_they_are_lost() {
    let breaks = |event: &mut Event| match event.name().as_deref() {
        Some("breaks") => Err(BoxError::from("no geo")),
        Some("grows") => {
            event.context_mut().insert("text", "x".repeat(40_000));
            Ok(())
        }
        _ => Ok(()),
    };
    let refuses = Destination::from_fn("refuses", |batch: Batch| async move {
        let bad = batch.messages().any(|message| message.event().name().as_deref() == Some("bad"));
        Ok::<_, std::io::Error>(if bad { Verdict::Reject } else { Verdict::Delivered })
    });
    let redacts = before_fn("redacts", breaks).only([Kind::Track]);
    let drops = before_fn("drops", |event: &mut Event| match event.name().as_deref() {
        Some("unwanted") => Flow::drop("as it should be"),
        _ => Flow::Continue,
    });
    let settings = Analytics::builder().plugin(redacts).plugin(drops);
    let settings = settings.plugin(refuses.batching(Batching::single())).plugin(recorder("r").0);
    let (settings, lost) = with_lost(settings);
    let analytics = settings.build().unwrap();
    for name in ["good", "breaks", "bad", "unwanted", "grows", "good"] {
        analytics.track(track(name)).unwrap();
    }
    assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    let mut lost = lost.wait_for(3);
    lost.sort_by_key(|(.., names)| names.clone());
    let expected = [
        (DropReason::Rejected, Some("refuses"), "bad"),
        (DropReason::BeforeFailed, None, "breaks"),
        (DropReason::TooLarge, None, "grows"),
    ];
    let expected = expected.map(|(reason, by, name)| (reason, by.map(str::to_owned), vec![name.to_owned()]));
    assert_eq!(lost, expected);
    assert_eq!(analytics.stats().dropped.get(DropReason::Plugin), 1, "what is dropped on purpose is no loss");
}

#[test]
fn a_destination_that_works_and_fails_in_turn_is_reported_once_a_minute() {
    let (api, clock) = (api(), ManualClock::new());
    let statuses = [500, 500, 200, 502, 200, 503, 200];
    api.script(statuses.map(Reply::status));
    let settings = Analytics::builder().segment(segment(&api).flush_at(1)).clock(clock.clone());
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    for (number, pause) in [(1, 0), (2, 60), (3, 0)] {
        analytics.track(track("x")).unwrap();
        assert!(clock.run_until(|| analytics.stats().delivered == number), "event {number}");
        clock.advance(Duration::from_secs(pause));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let reported: Vec<u16> = failures.wait_for(2).iter().filter_map(|one| Some(one.status()?.as_u16())).collect();
    assert_eq!(reported, [500, 503], "502 comes within a minute of the report before");
}

#[test]
fn a_failure_is_what_the_settings_make_of_it_and_stays_itself_if_they_panic() {
    for (name, expected) in [("kept", (false, true)), ("panics", (true, false))] {
        let refuses = Destination::from_fn(name, |_: Batch| async { Ok::<_, std::io::Error>(Verdict::Reject) });
        let (settings, failures) = with_failures(Analytics::builder().plugin(refuses).map_failure(|failure| {
            assert_ne!(failure.destination(), Some("panics"), "a panic of the host");
            let mut failure = failure.clone();
            (failure.dropped, failure.retried) = (None, true);
            failure
        }));
        let analytics = settings.build().unwrap();
        analytics.track(track("x")).unwrap();
        analytics.close_blocking(SOON);
        let failure = &failures.wait_for(1)[0];
        assert_eq!((failure.is_loss(), failure.retried), expected, "{name}");
    }
}
