//! The reports of a client to an inspector: the way of each event, without a cost for the pipeline.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tower::layer::layer_fn;
use tower_service::Service;
use tracklane::plugin::{Destination, Flow, Verdict, before_fn, enrichment_fn};
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{Analytics, BoxError, Builder, Event, PipelineService, signal};

use crate::support::{Log, SOON, api, client, quick_retries, segment, track};

/// A server that takes whatever it is told.
fn inspector() -> TrackingApi {
    let server = api();
    server.accept_everything();
    server
}

fn inspected(server: &TrackingApi) -> Builder {
    Analytics::builder().inspector(server.url())
}

/// Everything that was said of the event, put together as the server does.
fn told(server: &TrackingApi, message_id: &str) -> Value {
    let mut all = json!({ "steps": [], "destinations": {} });
    let bodies: Vec<Value> = server.requests().iter().map(|request| request.json().unwrap()).collect();
    let traces = bodies.iter().flat_map(|body| body["traces"].as_array().unwrap());
    for trace in traces.filter(|trace| trace["messageId"] == message_id) {
        let steps = trace["steps"].as_array().cloned().unwrap_or_default();
        all["steps"].as_array_mut().unwrap().extend(steps);
        for destination in trace["destinations"].as_array().into_iter().flatten() {
            let place = &mut all["destinations"][destination["name"].as_str().unwrap()];
            if place.is_null() {
                *place = json!({ "attempts": [] });
            }
            let attempts = destination["attempts"].as_array().cloned().unwrap_or_default();
            place["attempts"].as_array_mut().unwrap().extend(attempts);
            for name in ["outcome", "reason"] {
                if let Some(value) = destination.get(name) {
                    place[name] = value.clone();
                }
            }
        }
        for name in ["outcome", "reason", "event"] {
            if let Some(value) = trace.get(name) {
                all[name] = value.clone();
            }
        }
    }
    all
}

#[test]
fn each_plugin_is_told_with_what_it_changed_and_each_attempt_with_what_was_answered() {
    let (server, api) = (inspector(), api());
    api.script([Reply::status(503), Reply::status(200)]);
    let analytics = inspected(&server)
        .segment(segment(&api).retry(quick_retries(3)))
        .plugin(before_fn("redact", |event: &mut Event| drop(event.context_mut().remove("ip"))))
        .plugin(enrichment_fn("lower-case", |event: &mut Event| {
            let name = event.name().unwrap_or_default().to_lowercase();
            event.set_name(&name);
        }))
        .plugin(enrichment_fn("looks-on", |event: &mut Event| assert!(event.name().is_some())))
        .plugin(enrichment_fn("broken", |event: &mut Event| {
            event.context_mut().insert("half", "done");
            Err::<(), _>("no database")
        }))
        .build()
        .unwrap();
    let context = tracklane::Context::new().with("ip", "1.2.3.4");
    analytics.track(track("Order Completed").context(context).message_id("m1")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());

    let told = told(&server, "m1");
    let steps = told["steps"].as_array().unwrap();
    let named: Vec<_> = steps.iter().map(|step| [&step["plugin"], &step["stage"], &step["outcome"]]).collect();
    let (before, enrichment, kept) = (json!("before"), json!("enrichment"), json!("kept"));
    let expected = [
        [&json!("redact"), &before, &kept],
        [&json!("lower-case"), &enrichment, &kept],
        [&json!("looks-on"), &enrichment, &kept],
        [&json!("broken"), &enrichment, &json!("failed")],
    ];
    assert_eq!(named, expected);
    assert_eq!(steps[0]["patch"], json!([{"op":"remove","path":"/context","old":{"ip":"1.2.3.4"}}]));
    let renamed = json!([{"op":"replace","path":"/event","old":"Order Completed","value":"order completed"}]);
    assert_eq!(steps[1]["patch"], renamed);
    assert_eq!((&steps[2]["patch"], &steps[3]["patch"]), (&json!([]), &json!([])), "what failed was taken back");
    assert_eq!(steps[3]["reason"], "failed: no database");
    assert!(steps.iter().all(|step| step["us"].as_f64().is_some_and(|us| us >= 0.0)), "{steps:?}");

    let segment = &told["destinations"]["Segment.io"];
    let attempts = segment["attempts"].as_array().unwrap();
    let said: Vec<_> =
        attempts.iter().map(|one| (one["n"].clone(), one["status"].clone(), one["verdict"].clone())).collect();
    let expected = [(json!(1), json!(503), json!("retry")), (json!(2), json!(200), json!("delivered"))];
    assert_eq!(said, expected);
    assert!(attempts[0]["againInMs"].as_f64().is_some() && attempts[0]["ms"].as_f64().is_some(), "{attempts:?}");
    assert_eq!(segment["outcome"], "delivered");
    assert_eq!(told["event"]["event"], "order completed");
}

#[test]
fn a_dropped_event_says_by_whom_and_why_wherever_it_ends() {
    let server = inspector();
    let analytics = inspected(&server)
        .plugin(before_fn("consent", |event: &mut Event| {
            if event.name().as_deref() == Some("Forbidden") { Flow::drop("no consent") } else { Flow::Continue }
        }))
        .plugin(before_fn("fragile", |event: &mut Event| {
            assert!(event.name().as_deref() != Some("Crash"), "it crashes");
        }))
        .plugin(enrichment_fn("spoil", |event: &mut Event| {
            if event.name().as_deref() == Some("Spoilt") {
                event.set_user_id("");
            }
        }))
        .plugin(Destination::from_fn("Audit", |batch| async move {
            let refuses = batch.messages().any(|message| message.event().name().as_deref() == Some("Refused"));
            Ok::<_, std::convert::Infallible>(if refuses { Verdict::Reject } else { Verdict::Delivered })
        }))
        .build()
        .unwrap();
    for name in ["Forbidden", "Crash", "Spoilt", "Refused", "Nobody"] {
        let integrations = tracklane::Integrations::new().with("All", name != "Nobody");
        analytics.track(track(name).message_id(name).integrations(integrations)).unwrap();
    }
    analytics.close_blocking(SOON);
    let table = [
        ("Forbidden", "consent: no consent"),
        ("Crash", "fragile panicked: it crashes"),
        ("Spoilt", ""),
        ("Nobody", "no_destination"),
    ];
    for (id, reason) in table {
        let told = told(&server, id);
        let said = told["reason"].as_str().unwrap_or_default();
        assert_eq!(told["outcome"], "dropped", "{id}: {told}");
        assert!(if reason.is_empty() { said.contains("userId") } else { said == reason }, "{id}: {said}");
        assert_eq!(told["event"]["event"], id, "what it was is shown, because it arrives nowhere: {told}");
        assert_eq!(told["destinations"], json!({}), "{id}");
    }
    let refused = told(&server, "Refused");
    let audit = &refused["destinations"]["Audit"];
    assert_eq!((&audit["outcome"], &audit["attempts"][0]["verdict"]), (&json!("dropped"), &json!("reject")));
    assert!(audit["reason"].as_str().unwrap().starts_with("rejected"), "{audit}");
}

/// Keeps events of one name back, and marks the others.
struct Keeper(PipelineService);

impl Service<Event> for Keeper {
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut event: Event) -> Self::Future {
        if event.name().as_deref() == Some("Kept Back") {
            return Box::pin(async { Ok(()) });
        }
        event.context_mut().insert("seen", true);
        self.0.call(event)
    }
}

#[test]
fn middleware_is_told_as_a_step_and_what_it_keeps_has_ended_there() {
    let server = inspector();
    let analytics = inspected(&server)
        .layer(layer_fn(Keeper))
        .plugin(Destination::from_fn("Audit", |_| async { Ok::<_, std::convert::Infallible>(()) }))
        .build()
        .unwrap();
    for name in ["Passed", "Kept Back"] {
        analytics.track(track(name).message_id(name)).unwrap();
    }
    analytics.close_blocking(SOON);
    let passed = told(&server, "Passed");
    let step = &passed["steps"][0];
    assert_eq!((&step["plugin"], &step["stage"]), (&json!("source middleware"), &json!("middleware")));
    assert_eq!(step["patch"], json!([{"op":"add","path":"/context","value":{"seen":true}}]));
    let kept = told(&server, "Kept Back");
    assert_eq!((&kept["outcome"], &kept["steps"][0]["outcome"]), (&json!("dropped"), &json!("dropped")), "{kept}");
    assert_eq!(kept["event"]["event"], "Kept Back");
}

#[test]
fn no_secret_is_told() {
    let (server, api) = (inspector(), api());
    api.set_default(Reply::status(400).body("WRITE_KEY is what the server says"));
    let analytics = client(&api).inspector(server.url()).build().unwrap();
    analytics.track(track("Any").message_id("m1")).unwrap();
    analytics.close_blocking(SOON);
    assert!(!told(&server, "m1")["destinations"].as_object().unwrap().is_empty());
    for request in server.requests() {
        let all = format!("{:?} {}", request.headers(), String::from_utf8_lossy(request.body()));
        assert!(!all.contains("WRITE_KEY"), "{all}");
    }
}

#[test]
fn another_machine_is_refused_unless_it_is_allowed_by_name() {
    let refused = Analytics::builder().inspector("http://10.1.2.3:8765").build().unwrap_err().to_string();
    assert!(refused.contains("10.1.2.3") && refused.contains("allow_remote_inspector"), "{refused}");
    let allowed = Analytics::builder().inspector("http://10.1.2.3:8765").allow_remote_inspector(true).build();
    allowed.unwrap().close_blocking(Duration::ZERO);
}

#[test]
fn a_server_that_is_not_there_costs_one_report_and_nothing_else() {
    let api = api();
    let failures = Log::new();
    let log = failures.clone();
    let analytics = client(&api)
        .inspector("http://127.0.0.1:9")
        .on(signal::Error, move |failure| log.push((failure.to_string(), failure.is_loss())))
        .build()
        .unwrap();
    for _ in 0..500 {
        analytics.track(track("Any")).unwrap();
    }
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.is_complete()), (500, true));
    let all = failures.all();
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].0.contains("the inspector at http://127.0.0.1:9 is not reached") && !all[0].1, "{all:?}");
}

#[test]
fn an_inspector_that_hangs_holds_nothing_up_and_what_it_missed_is_counted() {
    let (server, api) = (inspector(), api());
    server.script([Reply::hang()]);
    let analytics = client(&api).inspector(server.url()).build().unwrap();
    let filling = "x".repeat(20_000);
    let begun = Instant::now();
    for number in 0..2_000 {
        let event = track("Any").message_id(number.to_string()).property("filling", &filling);
        while analytics.track(event.clone()).is_err() {
            analytics.flush_blocking(SOON);
        }
    }
    let flushed = analytics.flush_blocking(SOON);
    assert!(flushed.pending == 0 && begun.elapsed() < SOON, "{flushed:?} after {:?}", begun.elapsed());
    // 40 MB were to be told while nobody read.
    analytics.close_blocking(SOON);
    crate::support::eventually("the rest is told", || {
        let bodies = server.requests().into_iter().filter_map(|request| request.json());
        bodies.map(|body| body["missed"].as_u64().unwrap()).sum::<u64>() > 0
    });
}

#[test]
fn time_is_the_clients() {
    let (server, api, clock) = (inspector(), api(), ManualClock::new());
    api.script([Reply::status(429).header("retry-after", "30")]);
    let analytics = client(&api).clock(clock.clone()).inspector(server.url()).build().unwrap();
    analytics.track(track("Any").message_id("m1")).unwrap();
    assert!(clock.run_until(|| analytics.stats().delivered == 1));
    analytics.close_blocking(SOON);
    let attempts = told(&server, "m1")["destinations"]["Segment.io"]["attempts"].clone();
    assert_eq!((&attempts[0]["verdict"], &attempts[0]["againInMs"]), (&json!("pause"), &json!(30_000.0)), "{attempts}");
}
