//! The snippets of docs/TESTING.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn testing_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, CallError, Track};

fn sign_up(analytics: &Analytics, user: u64, coupon: Option<&str>) -> Result<(), CallError> {
    analytics.track(Track::new("Signed Up").user_id(user).property("coupon", coupon))
}

let recording = RecordingDestination::new("recording");
let analytics = Analytics::builder().plugin(recording.destination()).build()?;

sign_up(&analytics, 7, Some("MAY"))?;
analytics.close_blocking(Duration::from_secs(5));

let events = recording.events();
assert_eq!(events[0].name().as_deref(), Some("Signed Up"));
assert_eq!(events[0].user_id().as_deref(), Some("7"));
assert_eq!(events[0].properties().and_then(|properties| properties.get("coupon")), Some("MAY".into()));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_2() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

let api = TrackingApi::start()?;
let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url())).build()?;

analytics.track(Track::new("Signed Up").user_id("u1"))?;
assert!(analytics.close_blocking(Duration::from_secs(5)).is_complete());

assert_eq!(api.events()[0]["event"], "Signed Up");
assert_eq!(api.requests()[0].path(), "/v1/batch");
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_absence() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::plugin::{Flow, before_fn};
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Event, Track};

let tests = before_fn("tests", |event: &mut Event| match event.user_id() {
    Some(id) if id.starts_with("test-") => Flow::drop("a test account"),
    _ => Flow::Continue,
});
let recording = RecordingDestination::new("recording");
let analytics = Analytics::builder().plugin(tests).plugin(recording.destination()).build()?;

analytics.track(Track::new("Signed Up").user_id("test-1"))?;
analytics.track(Track::new("Signed Up").user_id("u1"))?;
analytics.close_blocking(Duration::from_secs(5));

let users: Vec<_> = recording.events().iter().map(|event| event.user_id().unwrap_or_default().into_owned()).collect();
assert_eq!(users, ["u1"]);
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_3() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, Track};

let (api, clock) = (TrackingApi::start()?, ManualClock::new());
let segment = Segment::new("WRITE_KEY").host(api.url());
let analytics = Analytics::builder().segment(segment).clock(clock.clone()).build()?;

// Two errors, a connection that breaks, and a server that never answers; then it works again.
api.script([Reply::status(503), Reply::status(500), Reply::reset(), Reply::hang()]);
analytics.track(Track::new("Signed Up").user_id("u1"))?;

assert!(clock.run_until(|| analytics.stats().delivered == 1));
assert_eq!(api.request_count(), 5);
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_4() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Track};

let (api, clock) = (TrackingApi::start()?, ManualClock::new());
let segment = Segment::new("WRITE_KEY").host(api.url()).retry(RetryPolicy::new().max_retries(3));
let analytics = Analytics::builder().segment(segment).clock(clock.clone()).build()?;

api.set_default(Reply::status(503));
analytics.track(Track::new("Signed Up").user_id("u1"))?;

assert!(clock.run_until(|| analytics.stats().dropped.get(DropReason::RetriesExhausted) == 1));
assert_eq!(api.request_count(), 4);
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_5() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, Track};

let (api, clock) = (TrackingApi::start()?, ManualClock::new());
let segment = Segment::new("WRITE_KEY").host(api.url());
let analytics = Analytics::builder().segment(segment).clock(clock.clone()).build()?;

api.script([Reply::status(429).header("retry-after", "30")]);
analytics.track(Track::new("Signed Up").user_id("u1"))?;
assert!(clock.run_until(|| api.request_count() == 1));

let before = clock.now();
assert!(clock.run_until(|| analytics.stats().delivered == 1));
assert_eq!(clock.now().duration_since(before)?, Duration::from_secs(30));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn testing_6() -> Result<(), serde_json::Error> { // begin
use tracklane::{Event, Track};

fn redact(event: &mut Event) {
    if let Some(properties) = event.properties_mut() {
        properties.remove("email");
    }
}

let mut event = Event::from(Track::new("Signed Up").user_id("u1").property("email", "a@b.example"));
redact(&mut event);
assert_eq!(serde_json::to_value(&event)?["properties"], serde_json::json!({}));
Ok::<(), serde_json::Error>(()) //#
} // end

#[rustfmt::skip]
fn testing_7() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::plugin::{Answer, Verdict};
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Track};

let vero = RecordingDestination::new("Vero");
vero.answer_with(|_| Answer::new(Verdict::Reject));
let analytics = Analytics::builder().plugin(vero.destination()).build()?;

analytics.track(Track::new("Signed Up").user_id("u1"))?;
let report = analytics.close_blocking(Duration::from_secs(5));
assert_eq!((report.failed, report.is_complete()), (1, false));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    testing_1().unwrap();
    testing_2().unwrap();
    testing_3().unwrap();
    testing_4().unwrap();
    testing_5().unwrap();
    testing_6().unwrap();
    testing_7().unwrap();
}
