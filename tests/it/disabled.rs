//! The setting `disable`, as in analytics-node: everything works except the requests to Segment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracklane::plugin::{after_fn, before_fn, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::{Analytics, DropReason, Event, Integrations, Outcome, Settings, signal};

use crate::support::{Log, SOON, api, recorder, track};

#[test]
fn a_disabled_client_runs_everything_but_segment() {
    let api = api();
    let (webhook, arrived) = recorder("webhook");
    let seen = Log::new();
    let note = |what: &'static str| {
        let seen = seen.clone();
        move || seen.push(what)
    };
    let (before, enrichment, after, tracked) = (note("before"), note("enrichment"), note("after"), note("track"));
    let failures = Arc::new(AtomicUsize::new(0));
    let analytics = Analytics::builder()
        .segment(Segment::new("").host(api.url()).wrap(|_| panic!("nothing is put around what sends nothing")))
        .disable(true)
        .plugin(before_fn("before", move |_: &mut Event| before()))
        .plugin(enrichment_fn("enrichment", move |event: &mut Event| {
            enrichment();
            event.context_mut().insert("enriched", true);
        }))
        .plugin(webhook)
        .plugin(after_fn("after", move |_, end| {
            assert!(!end.outcome.is_failed());
            after();
        }))
        .on(signal::Track, move |_| tracked())
        .on(signal::Error, {
            let failures = failures.clone();
            move |_| {
                failures.fetch_add(1, Ordering::Relaxed);
            }
        })
        .build()
        .unwrap();
    let end = analytics.send_with_receipt(track("Bought")).unwrap().wait_timeout(SOON).unwrap();
    assert_eq!(end.outcome, Outcome::Delivered, "the webhook has it");
    let at = |name: &str| end.destinations.iter().find(|at| *at.destination == *name).unwrap().outcome;
    assert_eq!(at("Segment.io"), Outcome::Dropped(DropReason::Disabled));
    assert_eq!(arrived.all()[0]["context"]["enriched"], true);

    // For Segment alone: no failure, and nothing waits for a batch to fill.
    let only = track("Bought").integrations(Integrations::new().disable("webhook"));
    let end = analytics.send_with_receipt(only).unwrap().wait_timeout(SOON).unwrap();
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::Disabled));
    assert!(analytics.blocking(SOON).send(track("Bought")).is_ok());

    let report = analytics.close_blocking(SOON);
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.delivered, report.dropped, report.failed), (2, 1, 0));
    let count = |what: &str| seen.all().iter().filter(|seen| **seen == what).count();
    assert_eq!(["before", "enrichment", "after", "track"].map(count), [3; 4]);
    assert_eq!((api.request_count(), failures.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn a_disabled_destination_of_any_kind_gets_nothing() {
    let (webhook, arrived) = recorder("webhook");
    let (other, others) = recorder("other");
    let analytics = Analytics::builder().plugin(webhook.disable(true)).plugin(other).disable(true).build().unwrap();
    analytics.track(track("Bought")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((arrived.len(), others.len()), (0, 1), "`disable` of the client is about Segment");
}

#[test]
fn settings_can_disable_segment_or_everything_and_need_no_key_then() {
    for (setting, plugins_run) in [("disable", true), ("disable_all", false)] {
        let settings: Settings = serde_json::from_value(serde_json::json!({ setting: true, "write_key": "" })).unwrap();
        let (webhook, arrived) = recorder("webhook");
        let analytics = settings.into_builder().unwrap().plugin(webhook).build().unwrap();
        analytics.track(track("Bought")).unwrap();
        assert!(analytics.flush_blocking(Duration::from_secs(20)).is_complete());
        assert_eq!(arrived.len(), usize::from(plugins_run), "{setting}");
    }
    let refused = Analytics::builder_for("").build().unwrap_err();
    assert_eq!(refused.setting(), "write_key");
}
