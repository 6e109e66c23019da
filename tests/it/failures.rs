//! What `error` tells: whether events are lost or tried again, in the signal and in the log, and each failure once.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pollster::block_on;
use tracklane::BoxError;
use tracklane::plugin::enrichment_fn;
use tracklane::signal::Failure;
use tracklane::testing::{ManualClock, Reply};
use tracklane::{Analytics, DropReason, Event};

use crate::support::{SOON, api, client, quick_retries, recorder, track, with_failures};

/// A log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn of(&self, level: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(&format!("{level} tracklane:"))).map(str::to_owned).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The client runs on this thread, so that the log of this test is its log and no other's.
#[tokio::test]
async fn a_loss_is_told_from_a_retry_in_the_signal_and_in_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let api = api();
    api.script([Reply::status(503), Reply::ok(), Reply::status(400)]);
    let settings = client(&api).retry(quick_retries(5)).flush_at(1).runtime(tokio::runtime::Handle::current());
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    assert!(analytics.send_with_receipt(track("late")).unwrap().await.is_delivered());
    assert!(!analytics.send_with_receipt(track("lost")).unwrap().await.is_delivered());
    assert!(analytics.close(SOON).await.pending == 0);

    let told: Vec<_> = failures.wait_for(2).iter().map(facts).collect();
    let segment = Some("Segment.io".to_owned());
    let expected = [
        (false, true, None, segment.clone(), Some(503)),
        (true, false, Some(DropReason::Rejected), segment, Some(400)),
    ];
    assert_eq!(told, expected);
    let (warnings, errors) = (lines.of("WARN"), lines.of("ERROR"));
    assert_eq!((warnings.len(), errors.len()), (1, 1), "{warnings:?} {errors:?}");
    for (line, fields) in [
        (&warnings[0], &["destination=\"Segment.io\"", "events=1", "status=503", "it is tried again"][..]),
        (&errors[0], &["destination=\"Segment.io\"", "events=1", "status=400", "reason=rejected"][..]),
    ] {
        assert!(fields.iter().all(|field| line.contains(field)), "{fields:?}: {line}");
    }
    assert!(!warnings[0].contains("reason="), "nothing is lost: {}", warnings[0]);
}

/// What a listener can tell of a failure.
fn facts(failure: &Failure) -> (bool, bool, Option<DropReason>, Option<String>, Option<u16>) {
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
