//! What a plugin drops goes to its quarantine: there and nowhere else, and it still counts as dropped.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tower::{Service, ServiceExt};
use tracklane::plugin::{
    Answer, Flow, Plugin, Registration, Transform, Verdict, after_fn, before, before_fn, enrichment, enrichment_fn,
};
use tracklane::signal::Failure;
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Integrations, Outcome, Settlement, Stopped};

use crate::support::{Log, SOON, assert_balanced, track, with_failures};

const DROPPED: Outcome = Outcome::Dropped(DropReason::Plugin);

/// A client with a main destination and a quarantine, and with what its plugins dropped.
struct Scene {
    analytics: Analytics,
    main: RecordingDestination,
    aside: RecordingDestination,
    failures: Log<Failure>,
}

/// The plugins come first, as they should.
fn scene(plugins: impl FnOnce(Builder) -> Builder) -> Scene {
    let (main, aside) = (RecordingDestination::new("main"), RecordingDestination::new("aside"));
    let (builder, failures) = with_failures(plugins(Analytics::builder()));
    // As Segment's destination, which gets events in spite of `All: false`.
    let builder = builder.plugin(main.destination().ignores_all(true)).plugin(aside.destination());
    Scene { analytics: builder.build().unwrap(), main, aside, failures }
}

impl Scene {
    fn end_of(&self, name: &str) -> Settlement {
        self.analytics.send_with_receipt(track(name)).unwrap().wait()
    }

    /// The names of what each of both got.
    fn arrived(&self) -> (Vec<String>, Vec<String>) {
        let names = |recording: &RecordingDestination| {
            recording.events().iter().map(|event| event.name().unwrap().into_owned()).collect()
        };
        (names(&self.main), names(&self.aside))
    }
}

fn is_bad(event: &Event) -> Flow {
    match event.name().is_some_and(|name| name.starts_with("bad")) {
        true => Flow::drop("bad"),
        false => Flow::Continue,
    }
}

fn no_bad() -> Registration {
    before_fn("no bad", |event: &mut Event| is_bad(event)).quarantine("aside")
}

/// The same, and it awaits something.
struct NoBad;

impl Plugin for NoBad {
    fn name(&self) -> &str {
        "no bad"
    }
}

impl Transform for NoBad {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        tokio::task::yield_now().await;
        Ok(is_bad(event))
    }
}

#[test]
fn what_any_plugin_drops_goes_to_its_quarantine_and_nowhere_else_and_counts_as_dropped() {
    let before_closure: fn() -> Registration = no_bad;
    let table = [
        ("a before closure", before_closure),
        ("a before plugin that awaits", || before(NoBad).quarantine("aside")),
        ("an enrichment closure", || enrichment_fn("no bad", |event: &mut Event| is_bad(event)).quarantine("aside")),
        ("an enrichment that awaits", || enrichment(NoBad).quarantine("aside")),
    ];
    for (what, plugin) in table {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let seen = ended.clone();
        let after = after_fn("after", move |message, end| {
            seen.lock().unwrap().push((message.event().name().unwrap().into_owned(), end.outcome));
        });
        let scene = scene(|builder| builder.plugin(plugin()).plugin(after));
        assert_eq!(scene.end_of("good").outcome, Outcome::Delivered, "{what}");
        let end = scene.end_of("bad");
        assert_eq!(end.outcome, DROPPED, "{what}");
        let at = &end.destinations[0];
        assert_eq!((&*at.destination, at.outcome, end.destinations.len()), ("aside", Outcome::Delivered, 1), "{what}");
        let report = scene.analytics.close_blocking(SOON);
        assert!(report.is_complete(), "{what}: {report:?}");
        assert_eq!((report.delivered, report.dropped), (1, 1), "{what}");
        assert_eq!(scene.arrived(), (vec!["good".to_owned()], vec!["bad".to_owned()]), "{what}");
        let stats = scene.analytics.stats();
        assert_balanced(&stats);
        let accepted: Vec<_> = stats.destinations.iter().map(|one| (one.accepted, one.delivered)).collect();
        assert_eq!((accepted, stats.dropped.get(DropReason::Plugin)), (vec![(1, 1), (1, 1)], 1), "{what}");
        assert_eq!(stats.plugins[0].dropped, 1, "{what}");
        let ended = ended.lock().unwrap();
        assert_eq!(*ended, [("good".to_owned(), Outcome::Delivered), ("bad".to_owned(), DROPPED)], "{what}");
        assert!(scene.failures.all().is_empty(), "{what}: {:?}", scene.failures.all());
    }
}

#[test]
fn what_is_dropped_is_redacted_by_what_comes_later_and_seen_by_no_enrichment() {
    let redact = before_fn("redact", |event: &mut Event| {
        event.section_mut().as_map_mut().remove("password");
    });
    let mark = before_fn("mark", |event: &mut Event| {
        event.context_mut().insert("why", "bad");
        is_bad(event)
    });
    let ask = enrichment_fn("ask", |event: &mut Event| event.set_name("asked somebody"));
    let scene = scene(|builder| builder.plugin(mark.quarantine("aside")).plugin(redact).plugin(ask));
    let event = track("bad").property("password", "hunter2").integrations(Integrations::new().all(false));
    scene.analytics.track(event).unwrap();
    assert!(scene.analytics.close_blocking(SOON).is_complete());
    assert_eq!(scene.arrived(), (vec![], vec!["bad".to_owned()]));
    let event = &scene.aside.events()[0];
    assert_eq!(event.section().get("password"), None, "a redaction behind the plugin works on it");
    assert_eq!(event.context().get("why"), Some(json!("bad")), "it is there as the plugin left it");
    assert_eq!(event.integrations().unwrap().get("All"), Some(json!(false)), "its integrations are its own");
}

#[test]
fn what_a_later_plugin_refuses_or_fails_at_goes_nowhere() {
    type Later = fn() -> Registration;
    let table: [(&str, Later, DropReason); 3] = [
        ("consent", || before_fn("later", |_: &mut Event| Flow::drop("no consent")), DropReason::Plugin),
        ("an error", || before_fn("later", |_: &mut Event| Err::<(), _>("out of paper")), DropReason::BeforeFailed),
        (
            "what cannot be sent",
            || before_fn("later", |event: &mut Event| drop(event.section_mut().insert("nan", f64::NAN))),
            DropReason::BeforeFailed,
        ),
    ];
    for (what, later, reason) in table {
        let scene = scene(|builder| builder.plugin(no_bad()).plugin(later()));
        let end = scene.end_of("bad");
        assert_eq!((end.outcome, end.destinations.len()), (Outcome::Dropped(reason), 0), "{what}");
        scene.analytics.close_blocking(SOON);
        assert_eq!(scene.arrived(), (vec![], vec![]), "{what}");
    }
}

#[test]
fn a_quarantine_that_loses_the_event_is_a_delivery_that_failed_and_the_event_was_dropped() {
    let scene = scene(|builder| builder.plugin(no_bad()));
    scene.aside.answer_with(|_| Answer::new(Verdict::Reject).with_error("full"));
    let end = scene.end_of("bad");
    let at = Outcome::Dropped(DropReason::Rejected);
    assert_eq!((end.outcome, end.destinations[0].outcome), (DROPPED, at));
    let report = scene.analytics.close_blocking(SOON);
    assert_eq!((report.dropped, report.failed, report.failed_deliveries), (1, 0, 1));
    assert!(!report.is_complete(), "somebody wanted it to be there");
    assert_balanced(&scene.analytics.stats());
}

#[test]
fn a_quarantine_that_is_not_there_is_told_and_the_event_is_dropped() {
    let scene =
        scene(|builder| builder.plugin(before_fn("no bad", |event: &mut Event| is_bad(event)).quarantine("elsewhere")));
    let end = scene.end_of("bad");
    assert_eq!((end.outcome, end.destinations.len()), (DROPPED, 0));
    scene.analytics.close_blocking(SOON);
    let failures = scene.failures.all();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((failures[0].destination(), failures[0].is_loss()), (Some("elsewhere"), false));
    assert!(failures[0].message.contains("register the destination"), "{}", failures[0].message);
}

#[tokio::test]
async fn a_quarantine_gets_nothing_else_when_its_plugin_is_gone_or_has_not_loaded() {
    struct Broken;
    impl Plugin for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        async fn load(&self, _: &tracklane::plugin::Host) -> Result<(), BoxError> {
            Err("out of paper".into())
        }
    }
    impl Transform for Broken {
        async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> {
            Ok(Flow::Continue)
        }
    }
    let scene = scene(|builder| builder.plugin(before(Broken).quarantine("aside").only([tracklane::Kind::Alias])));
    scene.analytics.track(track("first")).unwrap();
    scene.analytics.register(no_bad()).await.unwrap();
    scene.analytics.track(track("bad")).unwrap();
    scene.analytics.deregister("no bad").await.unwrap();
    scene.analytics.deregister("broken").await.unwrap();
    scene.analytics.track(track("bad, but nobody minds")).unwrap();
    assert!(scene.analytics.close(SOON).await.is_complete());
    let main = ["first", "bad, but nobody minds"].map(str::to_owned).to_vec();
    assert_eq!(scene.arrived(), (main, vec!["bad".to_owned()]));
}

#[tokio::test]
async fn who_drives_the_pipeline_is_told_that_the_event_was_dropped() {
    let scene = scene(|builder| builder.plugin(no_bad()));
    let mut pipeline = scene.analytics.pipeline();
    let stopped = pipeline.ready().await.unwrap().call(track("bad").into()).await.unwrap_err();
    assert_eq!(stopped.downcast_ref::<Stopped>().unwrap().reason, DropReason::Plugin);
    assert!(scene.analytics.close(SOON).await.is_complete());
    assert_eq!(scene.arrived(), (vec![], vec!["bad".to_owned()]));
}
