//! The context that is read on the calling thread: its precedence, and the effect of its faults.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Builder, Context, Track, signal};

use crate::support::with_failures;

const SOON: Duration = Duration::from_secs(10);

fn builder(api: &TrackingApi) -> Builder {
    Analytics::builder().segment(Segment::new("key").host(api.url()))
}

fn contexts(analytics: &Analytics, api: &TrackingApi) -> Vec<Value> {
    assert!(analytics.close_blocking(SOON).is_complete());
    api.events().into_iter().map(|event| event["context"].clone()).collect()
}

#[test]
fn it_stands_under_the_call_and_over_the_defaults() {
    let api = TrackingApi::start().unwrap();
    let analytics = builder(&api)
        .context(json!({"who": "defaults", "defaults": true, "deep": {"who": "defaults", "defaults": 1}}))
        .call_context(|| Some(json!({"who": "provider", "provider": 0, "deep": {"who": "provider", "p": 2}}).into()))
        .build()
        .unwrap();
    let own = json!({"who": "call", "deep": {"who": "call", "c": 3}});
    analytics.track(Track::new("with").user_id(1).context(own)).unwrap();
    analytics.track(Track::new("without").user_id(1)).unwrap();

    let mut contexts = contexts(&analytics, &api);
    contexts.iter_mut().for_each(|context| drop(context.as_object_mut().unwrap().remove("library")));
    let with = json!({
        "who": "call", "provider": 0, "defaults": true, "deep": {"who": "call", "c": 3, "p": 2, "defaults": 1}
    });
    let without = json!({
        "who": "provider", "provider": 0, "defaults": true, "deep": {"who": "provider", "p": 2, "defaults": 1}
    });
    assert_eq!(contexts, [with, without]);
}

#[test]
fn it_is_asked_on_the_thread_that_calls() {
    thread_local!(static JOB: Cell<Option<u32>> = const { Cell::new(None) });
    let api = TrackingApi::start().unwrap();
    let provider = || JOB.get().map(|job| Context::new().with("job", job));
    let analytics = Analytics::builder()
        .segment(Segment::new("key").host(api.url()).max_in_flight(1))
        .call_context(provider)
        .build()
        .unwrap();
    for job in [Some(1), None, Some(2)] {
        let analytics = analytics.clone();
        let call = move || {
            JOB.set(job);
            analytics.track(Track::new("done").user_id(1)).unwrap();
        };
        std::thread::spawn(call).join().unwrap();
    }
    let jobs: Vec<_> = contexts(&analytics, &api).into_iter().map(|context| context["job"].clone()).collect();
    assert_eq!(jobs, [json!(1), Value::Null, json!(2)]);
}

#[test]
fn a_provider_that_fails_costs_its_context_and_is_reported_once() {
    let api = TrackingApi::start().unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let (failures, reported) = mpsc::channel();
    let provider = {
        let works = works.clone();
        move || {
            assert!(works.load(Ordering::Relaxed), "no context today");
            Some(Context::new().with("provider", true))
        }
    };
    let analytics = builder(&api)
        .call_context(provider)
        .on(signal::Error, move |failure| failures.send(failure.to_string()).unwrap())
        .build()
        .unwrap();
    let track = || analytics.track(Track::new("x").user_id(1)).unwrap();
    track();
    track();
    works.store(true, Ordering::Relaxed);
    track();
    works.store(false, Ordering::Relaxed);
    track();

    let provided: Vec<_> = contexts(&analytics, &api).iter().map(|context| context["provider"] == true).collect();
    assert_eq!(provided, [false, false, true, false]);
    drop(analytics);
    let reported: Vec<_> = std::iter::from_fn(|| reported.recv_timeout(SOON).ok()).collect();
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(reported.iter().all(|report| report.contains("call_context") && report.contains("no context today")));
}

#[test]
fn a_context_that_cannot_be_sent_is_left_out() {
    let api = TrackingApi::start().unwrap();
    let settings = builder(&api).call_context(|| Some(Context::new().with("load", f64::NAN).with("fine", 1)));
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    analytics.track(Track::new("x").user_id(1)).unwrap();

    let contexts = contexts(&analytics, &api);
    assert_eq!(contexts.len(), 1);
    assert_eq!(contexts[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["library"]);
    let said = &failures.wait_for(1)[0].message;
    assert!(said.contains("cannot be sent: load: a number is not finite"), "{said}");
}
