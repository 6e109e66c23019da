//! The Worker of `examples/worker`, in Node and in Cloudflare's runtime: built for WebAssembly, it does what the native
//! client does.
//!
//! `.ci/wasm` builds it, installs the runtime, and runs these tests, which need that.

use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Event};

#[path = "worker/hosts.rs"]
mod hosts;
#[path = "../examples/worker/src/six_calls.rs"]
mod six_calls;

use hosts::{Host, Workerd};

const SOON: Duration = Duration::from_secs(20);

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
    let here = api();
    let place = enrichment_fn("place", |event: &mut Event| drop(event.context_mut().insert("colo", "FRA")));
    let segment = Segment::new("WRITE_KEY").host(here.url());
    let native = Analytics::builder().segment(segment).plugin(place).build().expect("settings");
    six_calls::six_calls().into_iter().try_for_each(|event| native.send(event)).expect("accepted");
    assert!(native.close_blocking(SOON).is_complete());
    let headers = |api: &TrackingApi| {
        let request = &api.requests()[0];
        ["authorization", "content-type", "user-agent"].map(|name| request.header(name).map(str::to_owned))
    };
    for host in Host::all() {
        let there = api();
        assert_eq!(host.run(&there, &["six", "flush 10000", "close 10000"]), ["", "6 0 0", ""]);
        assert_eq!(there.events().len(), 6, "{host:?}");
        assert_eq!(bodies(&there), bodies(&here), "{host:?}");
        assert_eq!(headers(&there), headers(&here), "{host:?}");
        assert_eq!(there.events()[1]["context"]["colo"], "FRA", "the enrichment plugin has seen it");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_flush_of_a_hundred_events_is_one_request() {
    for host in Host::all() {
        let api = api();
        assert_eq!(
            host.run(&api, &["send 100", "flush 10000", "send 20", "flush 10000"])[1..],
            ["100 0 0", "", "20 0 0"]
        );
        let sizes: Vec<usize> = api.requests().iter().map(|request| request.events().len()).collect();
        assert_eq!(sizes, [100, 20], "{host:?}");
        let ids: Vec<String> = (1..=120).map(|number| format!("e-{number}")).collect();
        let arrived = api.events().into_iter().map(|event| event["messageId"].as_str().unwrap_or_default().to_owned());
        assert_eq!(arrived.collect::<Vec<_>>(), ids, "{host:?}: in order");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn each_request_is_tracked_after_its_answer() {
    for host in Host::all() {
        let api = api();
        assert_eq!(host.run(&api, &["request /a", "request /b"]), ["200 1 0", "200 1 0"], "{host:?}");
        let events = api.events();
        let paths: Vec<&str> = events.iter().filter_map(|event| event["properties"]["path"].as_str()).collect();
        assert_eq!(paths, ["/a", "/b"]);
        assert_eq!(events[0]["context"]["colo"], "local", "the enrichment plugin has seen it");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn the_worker_as_it_is_deployed_tracks_requests_at_the_same_time() {
    if !Host::all().contains(&Host::Workerd) {
        return;
    }
    let api = api();
    // No answer may wait for this.
    api.set_default(Reply::ok().delay(Duration::from_millis(500)));
    let workerd = Workerd::start(&api);
    let paths: Vec<String> = (0..10).map(|number| format!("/{number}")).collect();
    thread::scope(|scope| {
        for path in &paths {
            let workerd = &workerd;
            scope.spawn(move || {
                let answer = workerd.ask("worker", &format!("GET {path} HTTP/1.1\r\nhost: worker\r\n"), "");
                assert_eq!(answer, format!("Hello from {path}\n"));
            });
        }
    });
    let events = api.wait_for_events(10, SOON);
    let mut tracked: Vec<&str> = events.iter().filter_map(|event| event["properties"]["path"].as_str()).collect();
    tracked.sort_unstable();
    assert_eq!(tracked, paths, "each once");
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_503_is_retried_a_pause_is_kept_and_the_listener_hears_of_the_failure_once() {
    for host in Host::all() {
        let api = api();
        api.script([Reply::status(503), Reply::status(429).header("retry-after", "1"), Reply::ok()]);
        let said = host.run(&api, &["send 3", "flush 20000", "errors"]);
        assert_eq!(said[1], "3 0 0", "{host:?}: {said:?}");
        assert!(said[2].contains("503") && said[2].lines().count() == 1, "{host:?}: {}", said[2]);
        let requests = api.requests();
        let counts: Vec<Option<&str>> = requests.iter().map(|request| request.header("x-retry-count")).collect();
        assert_eq!(counts, [None, Some("1"), Some("2")], "{host:?}");
        assert!(requests.iter().all(|request| request.events() == api.events()), "{host:?}: the same events");
        let pause = requests[2].received_at() - requests[1].received_at();
        assert!(pause >= Duration::from_millis(995), "{host:?}: the server asked for a second: {pause:?}");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_flush_has_a_deadline_and_the_next_one_goes_on() {
    for host in Host::all() {
        let api = api();
        api.script([Reply::ok().delay(Duration::from_millis(600))]);
        let said = host.run(&api, &["send 2", "flush 100", "flush 10000"]);
        assert_eq!(said, ["", "0 0 2", "2 0 0"], "{host:?}");
        assert_eq!(api.request_count(), 1, "{host:?}: the request went on");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_close_hands_back_and_a_drop_aborts_what_is_under_way() {
    for host in Host::all() {
        let api = api();
        api.script([Reply::hang()]);
        let start = Instant::now();
        let said = host.run(&api, &["send 2", "flush 3000", "close 300", "end"]);
        assert_eq!(said, ["", "0 0 2", "e-1 e-2", ""], "{host:?}");
        // Node would wait minutes for a response.
        let took = start.elapsed();
        assert!(took < SOON, "{host:?} ends, for nothing is left: {took:?}");
        assert_eq!((api.request_count(), api.events().len()), (1, 0), "{host:?}: it was under way");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_redirect_is_not_followed() {
    for host in Host::all() {
        let (from, to) = (api(), api());
        from.set_default(Reply::status(307).header("location", to.url()));
        let said = host.run(&from, &["send 1", "flush 10000", "errors"]);
        assert_eq!(said[1], "0 1 0", "{host:?}: {said:?}");
        assert!(said[2].contains("307"), "{host:?}: {}", said[2]);
        assert_eq!((from.request_count(), to.request_count()), (1, 0), "the key went nowhere else");
    }
}

#[test]
#[ignore = "needs the WebAssembly that .ci/wasm builds"]
fn a_connection_that_is_closed_is_an_error_of_fetch_and_is_tried_again() {
    for host in Host::all() {
        let api = api();
        api.script([Reply::close()]);
        let said = host.run(&api, &["send 1", "flush 20000", "errors"]);
        assert_eq!(said[1], "1 0 0", "{host:?}: {said:?}");
        assert!(said[2].contains("fetch failed"), "{host:?}: {}", said[2]);
        assert_eq!(api.request_count(), 2, "{host:?}");
    }
}
