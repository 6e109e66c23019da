//! Registering and deregistering while events flow.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use pollster::block_on;
use tokio::sync::oneshot;
use tracklane::plugin::{
    Batch, Batching, Destination, Flow, Host, Plugin, Transform, before_fn, enrichment, enrichment_fn, utility,
};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, Event, RegisterError, signal};

use crate::support::{Log, SOON, recorder, track, with_failures};

const LIMIT: Duration = Duration::from_secs(10);

type Gate = Mutex<Option<oneshot::Receiver<Result<(), &'static str>>>>;

/// Loads and unloads when the test allows it, and records its steps.
#[derive(Default)]
struct Slow {
    load: Gate,
    unload: Gate,
    notes: Option<Log<&'static str>>,
}

impl Slow {
    async fn pass(&self, gate: &Gate, note: &'static str) -> Result<(), BoxError> {
        if let Some(notes) = &self.notes {
            notes.push(note);
        }
        let waiting = gate.lock().unwrap().take();
        match waiting {
            None => Ok(()),
            Some(answer) => Ok(answer.await??),
        }
    }
}

impl Plugin for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        self.pass(&self.load, "load").await
    }

    async fn unload(&self) -> Result<(), BoxError> {
        self.pass(&self.unload, "unload").await
    }
}

impl Transform for Slow {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        event.section_mut().insert("slow", true);
        Ok(Flow::Continue)
    }
}

#[test]
fn what_is_sent_behind_a_registration_waits_until_it_loaded_or_failed() {
    for answer in [Ok(()), Err("out of paper")] {
        let (destination, arrived) = recorder("recorder");
        let analytics = Analytics::builder().plugin(destination).build().unwrap();
        let (release, load) = oneshot::channel();
        let notes = Log::new();
        let plugin = Slow { load: Mutex::new(Some(load)), notes: Some(notes.clone()), ..Slow::default() };
        analytics.track(track("before")).unwrap();
        let registering = std::thread::spawn({
            let analytics = analytics.clone();
            move || block_on(analytics.register(enrichment(plugin)))
        });
        assert_eq!(notes.wait_for(1), ["load"]);
        for _ in 0..10 {
            analytics.track(track("behind")).unwrap();
        }
        assert_eq!(analytics.flush_blocking(Duration::from_millis(50)).pending, 10, "none gets through");
        assert_eq!(arrived.names(), ["before"]);

        release.send(answer).unwrap();
        let registered = registering.join().unwrap();
        assert!(analytics.flush_blocking(SOON).is_complete());
        let seen = |event: &serde_json::Value| event["properties"]["slow"] == true;
        assert_eq!(arrived.len(), 11);
        assert_eq!(arrived.all().iter().filter(|event| seen(event)).count(), if answer.is_ok() { 10 } else { 0 });
        match answer {
            Ok(()) => registered.unwrap(),
            Err(_) => {
                let error = registered.unwrap_err();
                assert_eq!(error.to_string(), "the plugin \"slow\" could not be loaded");
                assert_eq!(std::error::Error::source(&error).expect("its own error").to_string(), "out of paper");
                assert!(std::error::Error::source(&error).is_some());
            }
        }
    }
}

#[test]
fn the_first_plugins_are_loaded_before_the_first_event() {
    let (destination, arrived) = recorder("recorder");
    let (release, load) = oneshot::channel();
    let ready = Log::new();
    let log = ready.clone();
    let analytics = Analytics::builder()
        .plugin(destination)
        .plugin(enrichment(Slow { load: Mutex::new(Some(load)), ..Slow::default() }))
        .on(signal::Initialize, move |ready| log.push(ready.plugins.clone()))
        .build()
        .unwrap();
    analytics.track(track("x")).unwrap();
    assert_eq!(analytics.flush_blocking(Duration::from_millis(50)).pending, 1);
    assert_eq!(ready.len(), 0);
    release.send(Ok(())).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert_eq!(arrived.all()[0]["properties"]["slow"], true);
    let names: Vec<String> = ready.wait_for(1)[0].iter().map(|name| name.to_string()).collect();
    assert_eq!(names, ["slow", "recorder"]);
}

#[test]
fn load_and_unload_have_ten_seconds() {
    let clock = ManualClock::new();
    let analytics = Analytics::builder().clock(clock.clone()).build().unwrap();
    let pass_time = || {
        assert!(clock.wait_for_sleeper(LIMIT..=LIMIT));
        clock.advance(LIMIT);
    };
    let (_never, load) = oneshot::channel();
    let error = std::thread::scope(|scope| {
        let plugin = Slow { load: Mutex::new(Some(load)), ..Slow::default() };
        let registering = scope.spawn(|| block_on(analytics.register(utility(plugin))));
        pass_time();
        registering.join().unwrap().unwrap_err()
    });
    assert_eq!(error.to_string(), "the plugin \"slow\" could not be loaded: did not end within 10s");

    let (_never, unload) = oneshot::channel();
    let plugin = Slow { unload: Mutex::new(Some(unload)), ..Slow::default() };
    block_on(analytics.register(utility(plugin))).unwrap();
    let error = std::thread::scope(|scope| {
        let deregistering = scope.spawn(|| block_on(analytics.deregister("slow")));
        pass_time();
        deregistering.join().unwrap().unwrap_err()
    });
    assert_eq!(error.to_string(), "the plugin \"slow\" could not be unloaded: did not end within 10s");
    // It is gone all the same.
    block_on(analytics.register(utility(Slow::default()))).unwrap();
}

#[test]
fn a_name_is_taken_until_it_is_deregistered() {
    let analytics = Analytics::builder().build().unwrap();
    let nothing = || enrichment_fn("name", |_: &mut Event| ());
    block_on(analytics.register(nothing())).unwrap();
    let error = block_on(analytics.register(recorder("name").0)).unwrap_err();
    assert!(matches!(&error, RegisterError::Duplicate { name } if name == "name"), "{error}");
    block_on(analytics.deregister("name")).unwrap();
    let error = block_on(analytics.deregister("name")).unwrap_err();
    assert!(matches!(&error, RegisterError::Unknown { name } if name == "name"), "{error}");
    block_on(analytics.register(nothing())).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(matches!(block_on(analytics.register(nothing())), Err(RegisterError::Closed)));
    assert!(matches!(block_on(analytics.deregister("name")), Err(RegisterError::Closed)));
}

#[test]
fn a_plugin_of_the_settings_that_fails_to_load_is_reported_and_left_out() {
    let (load, answer) = oneshot::channel();
    load.send(Err("out of paper")).unwrap();
    let (destination, arrived) = recorder("recorder");
    let plugin = Slow { load: Mutex::new(Some(answer)), ..Slow::default() };
    let (settings, failures) = with_failures(Analytics::builder().plugin(enrichment(plugin)).plugin(destination));
    let analytics = settings.build().unwrap();
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.len(), 1);
    assert_eq!((&*failures.wait_for(1)[0].origin, failures.all()[0].dropped), ("slow", None));
}

#[test]
fn a_destination_delivers_what_it_has_before_it_is_unloaded() {
    let notes = Log::new();
    let (delivered, unloaded) = (notes.clone(), Slow { notes: Some(notes.clone()), ..Slow::default() });
    let destination = Destination::from_fn("slow", move |batch: Batch| {
        batch.messages().for_each(|_| delivered.push("event"));
        async { Ok::<(), BoxError>(()) }
    })
    .batching(Batching::every(100, Duration::from_secs(3600)))
    .lifecycle(unloaded);
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    for _ in 0..3 {
        analytics.track(track("x")).unwrap();
    }
    block_on(analytics.deregister("slow")).unwrap();
    assert_eq!(notes.all(), ["load", "event", "event", "event", "unload"]);
    let stats = analytics.stats();
    assert_eq!((stats.delivered, stats.pending, stats.destinations.len()), (3, 0, 0));
}

#[test]
fn a_closure_works_between_the_start_and_the_end_of_its_plugin() {
    let notes = Log::new();
    let (worked, plugin) = (notes.clone(), Slow { notes: Some(notes.clone()), ..Slow::default() });
    let closure = before_fn("closure", move |_: &mut Event| worked.push("event")).lifecycle(plugin);
    let analytics = Analytics::builder().plugin(closure).plugin(recorder("recorder").0).build().unwrap();
    analytics.track(track("x")).unwrap();
    block_on(analytics.deregister("closure")).unwrap();
    assert_eq!(notes.all(), ["load", "event", "unload"]);
}

#[test]
fn close_unloads_what_is_registered() {
    let notes = Log::new();
    let plugin = Slow { notes: Some(notes.clone()), ..Slow::default() };
    let analytics = Analytics::builder().plugin(utility(plugin)).build().unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(notes.wait_for(2), ["load", "unload"]);
}

#[test]
fn five_hundred_registrations_under_two_thousand_events_lose_none() {
    let (destination, arrived) = recorder("recorder");
    let (settings, failures) = with_failures(Analytics::builder().plugin(destination));
    let analytics = settings.build().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..250 {
                let plugin = enrichment_fn("edit", |event: &mut Event| {
                    event.section_mut().insert("edited", true);
                });
                block_on(analytics.register(plugin)).unwrap();
                block_on(analytics.deregister("edit")).unwrap();
                let other = Destination::from_fn("other", |_: Batch| async { Ok::<(), BoxError>(()) });
                let due = Batching::every(1 + number % 7, Duration::from_millis(1));
                block_on(analytics.register(other.batching(due))).unwrap();
                block_on(analytics.deregister("other")).unwrap();
            }
        });
        scope.spawn(|| {
            for number in 0..2_000 {
                analytics.track(track("x").message_id(number.to_string())).unwrap();
            }
        });
    });
    let report = analytics.close_blocking(SOON);
    assert!(report.is_complete(), "{report:?}");
    let ids: HashSet<String> = arrived.ids().into_iter().collect();
    assert_eq!((arrived.len(), ids.len()), (2_000, 2_000));
    assert_eq!((analytics.stats().delivered, failures.len()), (2_000, 0), "{:?}", failures.all());
}
