//! The Worker of `examples/worker`, in Node: built for WebAssembly, it does what the native client does.
//!
//! `.ci/wasm` builds it and runs these tests, which need that.

use std::process::Command;
use std::time::{Duration, Instant};

use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Event};

#[path = "../examples/worker/src/six_calls.rs"]
mod six_calls;

/// Runs the steps in Node, against `api`. Returns the lines that it says.
#[track_caller]
fn node(api: &TrackingApi, steps: &[&str]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/worker/trial.mjs");
    let out = Command::new("node").arg(script).arg(api.url()).args(steps).output().expect("Node is installed");
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}\n{complained}");
    let lines: Vec<String> = said.lines().map(|line| line.trim_matches('"').to_owned()).collect();
    assert_eq!(lines.len(), steps.len(), "a line for each step: {said}\n{complained}");
    lines
}

/// The bodies that arrived, with ids and times blotted out.
fn bodies(api: &TrackingApi) -> Vec<String> {
    let blot = |body: String| {
        ["messageId", "timestamp", "sentAt"].into_iter().fold(body, |body, member| {
            let start = format!("\"{member}\":\"");
            let mut parts = body.split(&start);
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |body, rest| {
                let (value, rest) = rest.split_once('"').expect("a string ends");
                format!("{body}{start}{}\"{rest}", "?".repeat(value.len()))
            })
        })
    };
    let requests = api.requests();
    requests.iter().map(|request| blot(String::from_utf8(request.body().to_vec()).expect("text"))).collect()
}

fn api() -> TrackingApi {
    TrackingApi::start().expect("a free port")
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn the_six_calls_are_those_of_the_native_client_byte_for_byte() {
    let (there, here) = (api(), api());
    let said = node(&there, &["six", "flush 10000", "close 10000"]);
    assert_eq!(said, ["null", "6 0 0", ""]);
    let place = enrichment_fn("place", |event: &mut Event| drop(event.context_mut().insert("colo", "FRA")));
    let segment = Segment::new("WRITE_KEY").host(here.url());
    let native = Analytics::builder().segment(segment).plugin(place).build().expect("settings");
    six_calls::six_calls().into_iter().try_for_each(|event| native.send(event)).expect("accepted");
    assert!(native.close_blocking(Duration::from_secs(10)).is_complete());
    assert_eq!(there.events().len(), 6);
    assert_eq!(bodies(&there), bodies(&here));
    let headers = |api: &TrackingApi| {
        let request = &api.requests()[0];
        ["authorization", "content-type", "user-agent"].map(|name| request.header(name).map(str::to_owned))
    };
    assert_eq!(headers(&there), headers(&here));
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn each_request_is_tracked_after_its_answer() {
    let api = api();
    assert_eq!(node(&api, &["request /a", "request /b"]), ["200 1 0", "200 1 0"]);
    let events = api.events();
    let paths: Vec<&str> = events.iter().filter_map(|event| event["properties"]["path"].as_str()).collect();
    assert_eq!(paths, ["/a", "/b"]);
    assert_eq!(events[0]["context"]["colo"], "local", "the enrichment plugin has seen it");
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_503_is_retried_a_pause_is_kept_and_the_listener_hears_of_both() {
    let api = api();
    api.script([Reply::status(503), Reply::status(429).header("retry-after", "1"), Reply::ok()]);
    let start = Instant::now();
    let said = node(&api, &["send 3", "flush 20000", "errors"]);
    assert_eq!(said[1], "3 0 0");
    assert!(said[2].contains("503"), "{}", said[2]);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!((api.request_count(), api.events().len()), (3, 3));
    assert_eq!(api.requests()[1].header("x-retry-count"), Some("1"));
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_flush_has_a_deadline_and_the_next_one_goes_on() {
    let api = api();
    api.script([Reply::ok().delay(Duration::from_millis(600))]);
    let said = node(&api, &["send 2", "flush 100", "flush 10000"]);
    assert_eq!(said, ["null", "0 0 2", "2 0 0"]);
    assert_eq!(api.request_count(), 1, "the request went on");
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_close_hands_back_and_a_drop_aborts_what_is_under_way() {
    let api = api();
    api.script([Reply::hang()]);
    let start = Instant::now();
    assert_eq!(node(&api, &["send 2", "close 300", "end"]), ["null", "e-1 e-2", "null"]);
    assert!(start.elapsed() < Duration::from_secs(8), "Node ends, for nothing is left: {:?}", start.elapsed());
    assert_eq!(api.events().len(), 0);
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_redirect_is_not_followed_and_no_server_at_all_is_an_error_of_fetch() {
    let (from, to) = (api(), api());
    from.set_default(Reply::status(307).header("location", to.url()));
    let said = node(&from, &["send 1", "flush 10000", "errors"]);
    assert_eq!(said[1], "0 1 0", "{said:?}");
    assert_eq!(to.request_count(), 0, "the key went nowhere else");
}
