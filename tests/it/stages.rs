//! Plugins that fail, panic or hang, stage by stage: what happens to the event, and that other plugins continue.

use std::time::Duration;

use tracklane::plugin::{Batch, Destination, Flow, Plugin, RetryPolicy, Transform, before, enrichment};
use tracklane::signal::Failure;
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Outcome, Settlement};

use crate::support::{Arrived, Log, SOON, recorder, track, with_failures};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaks {
    Error,
    Panic,
    Hang,
}

const ALL: [Breaks; 3] = [Breaks::Error, Breaks::Panic, Breaks::Hang];

impl Breaks {
    async fn happen(self) -> Result<(), BoxError> {
        match self {
            Breaks::Error => Err("out of paper".into()),
            Breaks::Panic => panic!("out of paper"),
            Breaks::Hang => std::future::pending().await,
        }
    }

    fn is_said_in(self, failure: &Failure) -> bool {
        failure.message.contains(match self {
            Breaks::Error => "failed: out of paper",
            Breaks::Panic => "panicked: out of paper",
            Breaks::Hang => "did not end within 1s",
        })
    }
}

/// Breaks on the event "bad", in the middle of editing it.
struct Brittle(Breaks);

impl Plugin for Brittle {
    fn name(&self) -> &str {
        "brittle"
    }
}

impl Transform for Brittle {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        if event.name().as_deref() == Some("bad") {
            event.set_name("half edited");
            event.set_user_id("half edited");
            event.context_mut().insert("half", "edited");
            event.section_mut().as_map_mut().remove("kept");
            event.integrations_mut().insert("All", false);
            self.0.happen().await?;
        }
        event.section_mut().insert("seen", true);
        Ok(Flow::Continue)
    }
}

struct Scene {
    analytics: Analytics,
    clock: ManualClock,
    arrived: Arrived,
    failures: Log<Failure>,
}

fn scene(settings: impl FnOnce(Builder) -> Builder) -> Scene {
    let clock = ManualClock::new();
    let (destination, arrived) = recorder("recorder");
    let (builder, failures) = with_failures(Analytics::builder().clock(clock.clone()).plugin(destination));
    let analytics = settings(builder).build().unwrap();
    Scene { analytics, clock, arrived, failures }
}

impl Scene {
    /// Sends a good, a bad and a good event; returns the end of the bad one.
    fn play(&self, breaks: Breaks, limit: Duration) -> Settlement {
        self.analytics.track(track("before")).unwrap();
        let bad = self.analytics.send_with_receipt(track("bad").property("kept", 1)).unwrap();
        self.analytics.track(track("behind")).unwrap();
        if breaks == Breaks::Hang {
            assert!(self.clock.wait_for_sleeper(limit..=limit), "a deadline of {limit:?}");
            self.clock.advance(limit);
        }
        assert_eq!(self.analytics.flush_blocking(SOON).pending, 0, "{breaks:?}");
        let stats = self.analytics.stats();
        assert_eq!((stats.accepted, stats.delivered + stats.dropped.total()), (3, 3), "{breaks:?}");
        bad.wait()
    }
}

#[test]
fn before_fails_closed() {
    for breaks in ALL {
        let scene = scene(|settings| settings.plugin(before(Brittle(breaks))));
        let bad = scene.play(breaks, Duration::from_secs(1));
        assert_eq!(bad.outcome, Outcome::Dropped(DropReason::BeforeFailed), "{breaks:?}");
        assert_eq!(scene.arrived.names(), ["before", "behind"]);
        assert!(scene.arrived.all().iter().all(|event| event["properties"]["seen"] == true));
        let failure = &scene.failures.wait_for(1)[0];
        assert_eq!((&*failure.origin, failure.events, failure.dropped), ("brittle", 1, Some(DropReason::BeforeFailed)));
        assert!(breaks.is_said_in(failure) && failure.message.ends_with("the event is dropped"), "{failure}");
        assert_eq!(failure.error.is_some(), breaks == Breaks::Error);
    }
}

#[test]
fn enrichment_fails_open_and_takes_its_edits_back() {
    for breaks in ALL {
        let scene = scene(|settings| settings.plugin(enrichment(Brittle(breaks))));
        let bad = scene.play(breaks, Duration::from_secs(1));
        assert_eq!(bad.outcome, Outcome::Delivered, "{breaks:?}");
        assert_eq!(scene.arrived.names(), ["before", "bad", "behind"]);
        let event = &scene.arrived.all()[1];
        assert_eq!(event["properties"], serde_json::json!({"kept": 1}), "as it was before the plugin");
        assert_eq!((event["userId"].as_str(), event["context"].get("half")), (Some("u1"), None));
        assert_eq!(event.get("integrations"), None);
        let failure = &scene.failures.wait_for(1)[0];
        assert_eq!((&*failure.origin, failure.events, failure.dropped), ("brittle", 1, None));
        assert!(breaks.is_said_in(failure) && failure.message.ends_with("goes on without it"), "{failure}");
    }
}

#[test]
fn a_destination_that_breaks_keeps_nothing_from_the_others() {
    for breaks in ALL {
        let limit = Duration::from_secs(10);
        let brittle = Destination::from_fn("brittle", move |batch: Batch| async move {
            let bad = batch.messages().any(|message| message.event().name().as_deref() == Some("bad"));
            if bad { breaks.happen().await } else { Ok(()) }
        });
        let scene = scene(|settings| settings.plugin(brittle.retry(RetryPolicy::new().max_retries(0))));
        let bad = scene.play(breaks, limit);
        assert_eq!(bad.outcome, Outcome::Delivered, "one destination has it: {breaks:?}");
        let there = |name: &str| bad.destinations.iter().find(|end| &*end.destination == name).unwrap();
        assert_eq!(there("recorder").outcome, Outcome::Delivered);
        let reason = if breaks == Breaks::Panic { DropReason::Panicked } else { DropReason::RetriesExhausted };
        assert_eq!(there("brittle").outcome, Outcome::Dropped(reason), "{breaks:?}");
        let said = format!("{:#}", there("brittle").error.as_ref().unwrap());
        let expected = if breaks == Breaks::Hang { "did not end within 10s" } else { "out of paper" };
        assert!(said.contains(expected), "{said}");
        assert_eq!(scene.arrived.len(), 3);

        let stats = scene.analytics.stats();
        assert_eq!((stats.delivered, stats.dropped.total()), (3, 0));
        let brittle = stats.destinations.iter().find(|one| &*one.name == "brittle").unwrap();
        assert_eq!((brittle.accepted, brittle.delivered, brittle.dropped.get(reason)), (3, 2, 1));
        let failure = scene.failures.wait_for(1).remove(0);
        assert_eq!((&*failure.origin, failure.dropped), ("brittle", Some(reason)));
    }
}

#[test]
fn a_destination_that_hangs_holds_up_no_other_for_any_time() {
    let stuck = Destination::from_fn("stuck", |_: Batch| async { Breaks::Hang.happen().await });
    let scene = scene(|settings| settings.plugin(stuck));
    for number in 0..100 {
        scene.analytics.track(track(&number.to_string())).unwrap();
    }
    // No time passes for the one that hangs.
    assert_eq!(scene.arrived.wait_for(100).len(), 100);
    let report = scene.analytics.close_blocking(Duration::from_millis(50));
    assert_eq!((report.pending, report.unsent.len()), (100, 100));
    let stats = scene.analytics.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (100, 0), "the other destination has them");
}

#[test]
fn five_breakdowns_in_a_row_are_the_end_of_a_plugin() {
    for (closed, name) in [(true, "before"), (false, "enrichment")] {
        let calls = Log::new();
        let log = calls.clone();
        let work = move |event: &mut Event| -> Result<Flow, BoxError> {
            log.push(());
            match event.name().as_deref() {
                Some("panic") => panic!("out of paper"),
                Some("error") => Err("out of paper".into()),
                Some("drop") => Ok(Flow::Drop("not wanted".into())),
                _ => Ok(Flow::Continue),
            }
        };
        let plugin = match closed {
            true => tracklane::plugin::before_fn("brittle", work),
            false => tracklane::plugin::enrichment_fn("brittle", work),
        };
        let scene = scene(|settings| settings.plugin(plugin));
        let send = |name: &str, times: usize| {
            for _ in 0..times {
                scene.analytics.track(track(name)).unwrap();
            }
        };
        // Errors are no breakdowns, and work that succeeds starts the count again, that of dropping an event included.
        send("error", 10);
        send("panic", 4);
        send("good", 1);
        send("panic", 4);
        send("drop", 1);
        send("panic", 4);
        send("good", 1);
        send("panic", 5);
        send("good", 7);
        assert_eq!(scene.analytics.flush_blocking(SOON).pending, 0);
        assert_eq!(calls.len(), 10 + 4 + 1 + 4 + 1 + 4 + 1 + 5, "{name}: not called any more");
        let stats = scene.analytics.stats();
        let dropped = if closed { 10 + 17 + 7 } else { 0 };
        assert_eq!(stats.dropped.get(DropReason::BeforeFailed), dropped, "{name}");
        assert_eq!((stats.dropped.get(DropReason::Plugin), stats.delivered), (1, 36 - dropped));
        // The first failure and the end are reported at once. Failures between them, within a minute, are reported with
        // the end.
        let reports = scene.failures.wait_for(2);
        assert_eq!(reports.iter().map(|report| report.events).collect::<Vec<_>>(), [1, 26], "{reports:?}");
        assert!(reports[1].message.contains("it is not called any more"), "{reports:?}");
        let record = &stats.plugins[0];
        assert_eq!((&*record.name, record.failed, record.dropped), ("brittle", 27, 1));

        // Deregistered, it is out of the way.
        pollster::block_on(scene.analytics.deregister("brittle")).unwrap();
        send("good", 1);
        assert!(scene.analytics.flush_blocking(SOON).is_complete());
    }
}

#[test]
fn a_plugin_that_always_fails_is_reported_at_once_and_then_once_a_minute() {
    let clock = tracklane::testing::ManualClock::new();
    let fails = tracklane::plugin::enrichment_fn("fails", |_: &mut Event| Err::<(), BoxError>("no geo".into()));
    let time = clock.clone();
    let scene = scene(move |settings| settings.plugin(fails).clock(time));
    for minute in 0..3 {
        for _ in 0..100 {
            scene.analytics.track(track("x")).unwrap();
        }
        assert!(scene.analytics.flush_blocking(SOON).is_complete());
        assert_eq!(scene.failures.wait_for(minute + 1).len(), minute + 1);
        clock.advance(Duration::from_secs(60));
    }
    let events: Vec<usize> = scene.failures.all().iter().map(|report| report.events).collect();
    assert_eq!(events, [1, 100, 100], "each stands for those since the one before");
    assert_eq!(scene.analytics.stats().plugins[0].failed, 300);
}
