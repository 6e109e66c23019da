//! The snippets of docs/PLUGINS.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn plugins_1() { // begin
use tracklane::Event;
use tracklane::plugin::{Flow, before_fn};

/// Takes the key out at every depth: `traits.email`, and `traits.company.email` as well.
fn remove(object: &mut serde_json::Map<String, serde_json::Value>, key: &str) {
    object.remove(key);
    object.values_mut().filter_map(|value| value.as_object_mut()).for_each(|object| remove(object, key));
}

let no_email = before_fn("no e-mail addresses", |event: &mut Event| {
    remove(event.section_mut().as_map_mut(), "email");
    remove(event.context_mut().as_map_mut(), "email");
});

let consent = before_fn("consent", |event: &mut Event| match event.context().get("consent") {
    Some(serde_json::Value::Bool(true)) => Flow::Continue,
    _ => Flow::drop("no consent"),
});
let _ = (no_email, consent); //#
} // end

#[rustfmt::skip]
fn plugins_2() { // begin
use tracklane::plugin::enrichment_fn;
use tracklane::{Context, Event};

let deployment = Context::new().with("deployment", "eu-west-1b");
let deployment = enrichment_fn("deployment", move |event: &mut Event| event.add_context(&deployment));
let _ = deployment; //#
} // end

#[rustfmt::skip]
fn plugins_3() { // begin
use std::collections::HashMap;
use tokio::sync::RwLock;
use tracklane::plugin::{Flow, Plugin, Transform, enrichment};
use tracklane::{BoxError, Event};

struct Plan(RwLock<HashMap<String, String>>);

impl Plugin for Plan {
    fn name(&self) -> &str {
        "plan"
    }
}

impl Transform for Plan {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        let Some(user) = event.user_id() else { return Ok(Flow::Continue) };
        let plan = self.0.read().await.get(&*user).cloned().ok_or("the user is not known")?;
        event.section_mut().insert("plan", plan);
        Ok(Flow::Continue)
    }
}

let registration = enrichment(Plan(RwLock::default()));
let _ = registration; //#
} // end

#[rustfmt::skip]
fn plugins_4() { // begin
use tracklane::plugin::after_fn;

let audit = after_fn("audit", |message, end| {
    for destination in &end.destinations {
        println!("{} {}: {:?}", message.message_id(), destination.destination, destination.outcome);
    }
});
let _ = audit; //#
} // end

#[rustfmt::skip]
fn plugins_5() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::plugin::after_fn;

let keep = after_fn("keep what is lost", |message, end| {
    if end.outcome.is_failed() {
        let why = end.destinations.iter().find_map(|at| at.error.as_ref());
        eprintln!("lost: {} ({why:?})", String::from_utf8_lossy(message.json()));
    }
});
let analytics = tracklane::Analytics::builder().plugin(keep).build()?;
drop(analytics); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn plugins_6() { // begin
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use tracklane::plugin::{Host, Plugin, utility};
use tracklane::{BoxError, signal};

struct FailureCount(Arc<AtomicU64>);

impl Plugin for FailureCount {
    fn name(&self) -> &str {
        "failure count"
    }

    async fn load(&self, host: &Host) -> Result<(), BoxError> {
        let count = self.0.clone();
        host.emitter().on(signal::Error, move |failure| {
            count.fetch_add(failure.events as u64, Ordering::Relaxed);
        });
        Ok(())
    }
}

let registration = utility(FailureCount(Arc::default()));
let _ = registration; //#
} // end

#[rustfmt::skip]
fn plugins_7() { // begin
use std::time::Duration;
use tower::limit::ConcurrencyLimitLayer;
use tracklane::plugin::{Answer, Batch, Batching, Destination, QueueLimits, RetryPolicy, Verdict};

let warehouse = Destination::from_fn("Warehouse", |batch: Batch| async move {
    let mut lines = Vec::new();
    for message in batch.messages() {
        lines.extend_from_slice(message.json());
        lines.push(b'\n');
    }
    // … sent somewhere; then what came of it:
    Ok::<Answer, std::io::Error>(Answer::new(Verdict::Delivered))
})
// A batch leaves with 500 events, or when its first has waited for five seconds.
.batching(Batching::every(500, Duration::from_secs(5)).max_bytes(1_000_000))
// Three retries, after at most 1, 2 and 4 seconds.
.retry(RetryPolicy::new().max_retries(3).backoff(Duration::from_secs(1), Duration::from_secs(30)))
// Beyond this, events are dropped here and counted, and no other destination notices.
.queue(QueueLimits::new(50_000, 64 * 1024 * 1024))
.max_in_flight(1)
.attempt_timeout(Duration::from_secs(30))
.alias("warehouse")
.layer(ConcurrencyLimitLayer::new(4));
let _ = warehouse; //#
} // end

#[rustfmt::skip]
fn plugins_8() -> Result<(), tracklane::BoxError> { // begin
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tracklane::BoxError;
use tracklane::plugin::{Batch, Destination};

let file = std::fs::OpenOptions::new().create(true).append(true).open("/dev/null")?;
let file = Arc::new(Mutex::new(file));
let lines = Destination::from_fn("JSON Lines", move |batch: Batch| {
    let file = file.clone();
    async move {
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            batch.messages().try_for_each(|message| writeln!(file, "{}", String::from_utf8_lossy(message.json())))
        });
        Ok::<_, BoxError>(written.await??)
    }
});
let _ = lines; //#
Ok::<(), BoxError>(()) //#
} // end

#[rustfmt::skip]
fn plugins_9() { // begin
use tower::limit::ConcurrencyLimitLayer;
use tracklane::Analytics;
use tracklane::segment::Segment;

let segment = Segment::new("WRITE_KEY").wrap(|destination| destination.layer(ConcurrencyLimitLayer::new(2)));
let builder = Analytics::builder().segment(segment);
let _ = builder; //#
} // end

#[rustfmt::skip]
fn plugins_10() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::segment::Segment;

let marketing = Segment::new("MARKETING_WRITE_KEY").name("Segment marketing").build()?;
let _ = marketing; //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn plugins_11() { // begin
use tracklane::plugin::enrichment_fn;
use tracklane::{Event, Kind};

let lowercase = enrichment_fn("Lowercase events", |event: &mut Event| {
    let name = event.name().unwrap_or_default().to_lowercase();
    event.set_name(&name);
})
.only([Kind::Track]);
let _ = lowercase; //#
} // end

#[rustfmt::skip]
fn plugins_12() { // begin
use tracklane::plugin::before_fn;
use tracklane::{Event, Integrations, Track};

// At the call: only to Vero (and to Segment).
let event = Track::new("Membership Upgraded")
    .user_id("97234974")
    .integrations(Integrations::new().all(false).enable("Vero"));

// For all events of a test user, on the way: nowhere but to the warehouse.
let route = before_fn("test users", |event: &mut Event| {
    if event.user_id().is_some_and(|id| id.starts_with("test-")) {
        *event.integrations_mut() = Integrations::new().all(false).disable("Segment.io").enable("Warehouse");
    }
});
let _ = (event, route); //#
} // end

#[rustfmt::skip]
fn plugins_13() { // begin
use std::time::Duration; //#
use tracklane::{Analytics, Event, RegisterError}; //#
use tracklane::plugin::enrichment_fn; //#
async fn example(analytics: Analytics) { //#
let plugin = enrichment_fn("host", |event: &mut Event| { event.context_mut().insert("host", "web-1"); });
match analytics.register(plugin).await {
    Ok(()) => {}
    Err(RegisterError::Duplicate { name }) => eprintln!("{name} is there already"),
    Err(error) => eprintln!("{error}"),
}
analytics.deregister("host").await.ok();
} //#
} // end

#[rustfmt::skip]
fn plugins_14() -> Result<(), tracklane::SettingsError> { // begin
use std::time::Duration;
use tower::limit::RateLimitLayer;
use tracklane::Analytics;

let analytics = Analytics::builder_for("WRITE_KEY").layer(RateLimitLayer::new(1_000, Duration::from_secs(1))).build()?;
drop(analytics); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn plugins_15() { // begin
use std::convert::Infallible;
use std::time::Duration;
use tower::timeout::TimeoutLayer;
use tower::{ServiceBuilder, service_fn};
use tracklane::Event;
use tracklane::plugin::{enrichment_layer, enrichment_service};

let tagged = enrichment_service(
    "tag",
    ServiceBuilder::new().layer(TimeoutLayer::new(Duration::from_millis(100))).service(service_fn(
        |mut event: Event| async move {
            event.context_mut().insert("tag", "blue");
            Ok::<_, Infallible>(event)
        },
    )),
);
let mapped = enrichment_layer("map", tower::util::MapRequestLayer::new(|mut event: Event| {
    event.context_mut().insert("mapped", true);
    event
}));
let _ = (tagged, mapped); //#
} // end

#[rustfmt::skip]
mod plugins_16 { // begin
use std::time::Duration;
use tower::{Service, ServiceExt};
use tracklane::plugin::{Flow, before_fn};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event, Stopped, Track};

#[tokio::main(flavor = "current_thread")] //#
async fn main() -> Result<(), tracklane::BoxError> { //#
let api = TrackingApi::start()?;
let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url())).build()?;
analytics.register(before_fn("nobody", |_: &mut Event| Flow::drop("nobody passes"))).await?;

let mut pipeline = analytics.pipeline();
let stopped = pipeline.ready().await?.call(Track::new("Signed Up").user_id("u1").into()).await.unwrap_err();
assert!(stopped.is::<Stopped>());

analytics.close(Duration::from_secs(5)).await;
Ok(()) //#
} //#
#[test] //#
fn runs() { //#
    main().unwrap(); //#
} //#
} // end

#[rustfmt::skip]
fn plugins_17() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event, Track};

let api = TrackingApi::start()?;
let analytics = Analytics::builder()
    .segment(Segment::new("WRITE_KEY").host(api.url()))
    .plugin(enrichment_fn("host", |event: &mut Event| { event.context_mut().insert("host", "web-1"); }))
    .build()?;

analytics.track(Track::new("Signed Up").user_id("u1"))?;
assert!(analytics.close_blocking(Duration::from_secs(5)).is_complete());

assert_eq!(api.events()[0]["context"]["host"], "web-1");
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn plugins_18() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Integrations, Track};

let vero = RecordingDestination::new("Vero");
let warehouse = RecordingDestination::new("Warehouse");
let analytics =
    Analytics::builder().plugin(vero.destination()).plugin(warehouse.destination()).build()?;

analytics.track(Track::new("Signed Up").user_id("u1").integrations(Integrations::new().disable("Vero")))?;
analytics.close_blocking(Duration::from_secs(5));
assert_eq!((vero.events().len(), warehouse.events().len()), (0, 1));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    plugins_1();
    plugins_2();
    plugins_3();
    plugins_4();
    plugins_5().unwrap();
    plugins_6();
    plugins_7();
    plugins_8().unwrap();
    plugins_9();
    plugins_10().unwrap();
    plugins_11();
    plugins_12();
    plugins_14().unwrap();
    plugins_15();
    plugins_17().unwrap();
    plugins_18().unwrap();
}
