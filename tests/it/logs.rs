//! The log: losses and retries at their levels, and the path of an event by its id.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::event::Integrations;
use tracklane::plugin::{Batch, Destination};
use tracklane::testing::Reply;
use tracklane::{Analytics, DropReason};

use crate::failures::facts;
use crate::support::{SOON, api, eventually, quick_retries, segment, track, with_failures};

/// A log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Captures the log of this thread until the guard is dropped.
    fn capture(level: tracing::Level) -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

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
    let (lines, _guard) = Lines::capture(tracing::Level::WARN);
    let api = api();
    api.script([Reply::status(503), Reply::ok(), Reply::status(400)]);
    let settings = Analytics::builder()
        .segment(segment(&api).retry(quick_retries(5)).flush_at(1))
        .runtime(tokio::runtime::Handle::current());
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

/// The client runs on this thread, so that the log of this test is its log and no other's.
#[tokio::test]
async fn an_event_can_be_followed_by_its_id_and_its_batch_by_its_number() {
    let (lines, _guard) = Lines::capture(tracing::Level::TRACE);
    let api = api();
    api.script([Reply::status(503), Reply::ok()]);
    let settings = Analytics::builder()
        .segment(segment(&api).retry(quick_retries(5)).flush_at(1))
        .runtime(tokio::runtime::Handle::current());
    let analytics = settings.build().unwrap();
    let end = analytics.send_with_receipt(track("followed").message_id("id-7")).unwrap().await;
    assert!(end.is_delivered());
    analytics.close(SOON).await;

    let about = |text: &str, what: &[&str]| {
        let lines = [lines.of("TRACE"), lines.of("DEBUG")].concat();
        let lines = lines.into_iter().filter(|line| line.contains(text));
        lines.filter(|line| what.iter().all(|what| line.contains(what))).count()
    };
    for (text, what, times) in [
        ("event enters the pipeline", &["message_id=id-7", "kind=track"][..], 1),
        ("event offered", &["message_id=id-7", "destination=Segment.io"], 1),
        ("attempt begins", &["batch=1", "attempt=1"], 1),
        ("event in the attempt", &["message_id=id-7", "batch=1", "attempt=1"], 1),
        ("attempt ended", &["batch=1", "attempt=1", "verdict=Retry"], 1),
        ("event in the attempt", &["message_id=id-7", "batch=1", "attempt=2"], 1),
        ("attempt ended", &["batch=1", "attempt=2", "verdict=Delivered"], 1),
        ("batch delivered", &["batch=1", "events=1", "attempts=2"], 1),
    ] {
        assert_eq!(about(text, what), times, "{text} {what:?}: {:#?}", lines.of("TRACE"));
    }
}

/// The client runs on this thread, so that the log of this test is its log and no other's.
#[tokio::test]
async fn a_name_in_integrations_that_no_destination_has_is_logged_once() {
    let nowhere = |name: &str| {
        let takes = |_: Batch| std::future::ready(Ok::<(), std::io::Error>(()));
        Destination::from_fn(name, takes).alias("Warehouse (new)")
    };
    let api = api();
    let all = Integrations::new().all(false).enable("warehouse").disable("Vero").with("Warehouse (new)", true);
    for (with_segment, expected) in [(false, &["name=\"warehouse\"", "name=\"Vero\""][..]), (true, &[])] {
        let (lines, _guard) = Lines::capture(tracing::Level::WARN);
        let mut settings = Analytics::builder().plugin(nowhere("Warehouse")).runtime(tokio::runtime::Handle::current());
        if with_segment {
            settings = settings.segment(segment(&api));
        }
        let analytics = settings.build().unwrap();
        for _ in 0..3 {
            analytics.track(track("e").integrations(all.clone())).unwrap();
        }
        assert!(analytics.close(SOON).await.is_complete());
        let warnings = lines.of("WARN");
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for name in expected {
            assert!(warnings.iter().any(|line| line.contains(name) && line.contains("not registered")), "{warnings:?}");
        }
    }
}

/// The client runs on this thread, so that the log of this test is its log and no other's.
#[tokio::test]
async fn names_from_outside_cannot_fill_the_log() {
    let (lines, _guard) = Lines::capture(tracing::Level::WARN);
    let takes = |_: Batch| std::future::ready(Ok::<(), std::io::Error>(()));
    let settings = Analytics::builder().plugin(Destination::from_fn("Warehouse", takes));
    let analytics = settings.runtime(tokio::runtime::Handle::current()).build().unwrap();
    for number in 0..100 {
        let name = format!("{number}-{}", "x".repeat(10_000));
        analytics.track(track("e").integrations(Integrations::new().enable(name))).unwrap();
    }
    assert!(analytics.close(SOON).await.is_complete());
    let warnings = lines.of("WARN");
    assert!(warnings.len() == 16 && warnings.iter().all(|line| line.len() < 300), "{warnings:?}");
}

/// A client behind something that keeps its events loses none of those that its close leaves.
#[test]
fn a_close_logs_what_it_leaves_as_lost_unless_the_failure_is_mapped() {
    for (kept, expected) in [(false, 1), (true, 0)] {
        let (lines, _guard) = Lines::capture(tracing::Level::WARN);
        let hangs = |_: Batch| std::future::pending::<Result<(), std::io::Error>>();
        let mut settings = Analytics::builder().plugin(Destination::from_fn("hangs", hangs));
        if kept {
            settings = settings.map_failure(|failure| {
                let mut failure = failure.clone();
                (failure.dropped, failure.retried) = (None, true);
                failure
            });
        }
        let analytics = settings.build().unwrap();
        analytics.send(track("left")).unwrap();
        // What the pipeline has in hand at that moment could not be taken back.
        let hangs = |analytics: &Analytics| analytics.stats().destinations.iter().any(|stats| stats.attempts == 1);
        eventually("the attempt hangs", || hangs(&analytics));
        let report = analytics.close_blocking(Duration::from_millis(1));
        assert_eq!(report.unsent.len(), 1, "{kept}");
        let errors = lines.of("ERROR");
        assert_eq!(errors.len(), expected, "{kept}: {errors:?}");
        assert!(errors.iter().all(|line| line.contains("closed before") && line.contains("events=1")), "{errors:?}");
        assert_eq!(lines.of("WARN"), Vec::<String>::new(), "{kept}");
    }
}
