//! What the signal `error` tells: whether events are lost or tried again, and each failure in one report.

use std::time::Duration;

use pollster::block_on;
use tracklane::BoxError;
use tracklane::plugin::enrichment_fn;
use tracklane::signal::Failure;
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Analytics, DropReason, Event};

use crate::support::{SOON, api, client, quick_retries, recorder, track, with_failures};

/// What a listener can tell of a failure.
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

#[test]
fn every_failure_of_a_plugin_is_in_one_report_when_it_ends() {
    for ends_with_the_client in [false, true] {
        let fails = enrichment_fn("fails", |_: &mut Event| Err::<(), BoxError>("no geo".into()));
        let settings = Analytics::builder().clock(ManualClock::new()).plugin(fails).plugin(recorder("r").0);
        let (settings, failures) = with_failures(settings);
        let analytics = settings.build().unwrap();
        for _ in 0..5 {
            analytics.track(track("x")).unwrap();
        }
        assert!(analytics.flush_blocking(SOON).is_complete());
        assert_eq!(failures.wait_for(1).len(), 1, "the others are held back");
        if ends_with_the_client {
            assert!(analytics.close_blocking(SOON).is_complete());
        } else {
            block_on(analytics.deregister("fails")).unwrap();
        }
        let events: Vec<usize> = failures.wait_for(2).iter().map(|failure| failure.events).collect();
        assert_eq!(events, [1, 4]);
        assert!(failures.all()[1].message.ends_with("(4 events since the last report)"), "{:?}", failures.all());
    }
}

#[test]
fn a_destination_that_fails_again_after_it_worked_is_reported_again() {
    let api = api();
    api.script([Reply::status(500), Reply::status(500), Reply::ok(), Reply::status(502), Reply::ok()]);
    let (settings, failures) = with_failures(client(&api).retry(quick_retries(5)).flush_at(1));
    let analytics = settings.build().unwrap();
    for _ in 0..2 {
        assert!(analytics.send_with_receipt(track("x")).unwrap().wait_timeout(Duration::from_secs(20)).is_ok());
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let statuses: Vec<u16> = failures.wait_for(2).iter().filter_map(|one| Some(one.status()?.as_u16())).collect();
    assert_eq!(statuses, [500, 502], "one report for each episode");
}
