//! Outages in virtual time, as in an application's own tests: the clock advances by itself.

use std::time::Duration;

use tracklane::plugin::enrichment_fn;
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Event, Outcome};

use crate::support::{api, client, track};

fn started() -> (TrackingApi, ManualClock, Analytics) {
    let (api, clock) = (api(), ManualClock::new());
    let analytics = client(&api).clock(clock.clone()).build().unwrap();
    (api, clock, analytics)
}

/// The virtual time that the function takes.
fn takes(clock: &ManualClock, run: impl FnOnce()) -> Duration {
    let before = clock.now();
    run();
    clock.now().duration_since(before).unwrap()
}

#[test]
fn an_event_leaves_after_its_interval_and_no_time_passes_beyond() {
    let (api, clock, analytics) = started();
    analytics.track(track("Signed Up")).unwrap();
    let taken = takes(&clock, || assert!(clock.run_until(|| analytics.stats().delivered == 1)));
    assert_eq!(taken, Duration::from_secs(10));
    assert_eq!(api.events().len(), 1);
    // Nothing waits, so the clock does not move.
    let taken = takes(&clock, || assert!(clock.run_until(|| true)));
    assert_eq!(taken, Duration::ZERO);
}

#[test]
fn each_burst_leaves_together_after_its_interval() {
    let (api, clock, analytics) = started();
    for round in 1..=5 {
        (0..5).for_each(|_| analytics.track(track("Signed Up")).unwrap());
        let taken = takes(&clock, || assert!(clock.run_until(|| analytics.stats().delivered == 5 * round)));
        assert_eq!((taken, api.request_count() as u64), (Duration::from_secs(10), round));
    }
}

#[test]
fn an_outage_is_survived_with_ten_retries_and_an_eleventh_failure_is_the_end() {
    for (failures, outcome) in [(10, Outcome::Delivered), (11, Outcome::Dropped(DropReason::RetriesExhausted))] {
        let (api, clock, analytics) = started();
        api.script((0..failures).map(|number| match number % 3 {
            0 => Reply::status(503),
            1 => Reply::reset(),
            _ => Reply::hang(),
        }));
        let mut ended = None;
        let mut receipt = Some(analytics.send_with_receipt(track("Signed Up")).unwrap());
        assert!(clock.run_until(|| {
            match receipt.take().map(|receipt| receipt.wait_timeout(Duration::ZERO)) {
                Some(Ok(end)) => ended = Some(end.outcome),
                Some(Err(again)) => receipt = Some(again),
                None => {}
            }
            ended.is_some()
        }));
        assert_eq!((ended, api.request_count()), (Some(outcome), 11));
    }
}

#[test]
fn a_pause_of_429_is_kept_to_the_second() {
    let (api, clock, analytics) = started();
    api.script([Reply::status(429).header("retry-after", "240"), Reply::ok()]);
    analytics.track(track("Signed Up")).unwrap();
    assert!(clock.run_until(|| api.request_count() == 1));
    let taken = takes(&clock, || assert!(clock.run_until(|| analytics.stats().delivered == 1)));
    assert_eq!(taken, Duration::from_secs(240));
}

#[test]
fn a_request_that_is_slow_in_real_time_is_not_cut_off() {
    let (api, clock, analytics) = started();
    api.set_default(Reply::ok().delay(Duration::from_millis(50)));
    let plugin = enrichment_fn("slow", |_: &mut Event| std::thread::sleep(Duration::from_millis(20)));
    pollster::block_on(analytics.register(plugin)).unwrap();
    analytics.track(track("Signed Up")).unwrap();
    assert!(clock.run_until(|| analytics.stats().delivered == 1));
    assert_eq!((api.request_count(), analytics.stats().retries), (1, 0));
}

#[test]
fn what_never_comes_is_given_up() {
    let (_api, clock, _analytics) = started();
    assert!(!clock.run_until(|| false));
}
