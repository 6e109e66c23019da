//! Other ways to set up a client: regions, proxy, gzip, disabled, blocking, global, waiting for room, metrics.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tower::Service;
use tracklane::plugin::{Overflow, RetryPolicy, after_fn};
use tracklane::segment::{Region, Segment};
use tracklane::testing::{ManualClock, Reply, TrackingApi};
use tracklane::{
    Alias, Analytics, BlockingError, DropReason, Group, Identify, Outcome, Page, Screen, Settings, Stopped, Track,
    global,
};

const SOON: Duration = Duration::from_secs(10);

fn event() -> Track {
    Track::new("Item Purchased").user_id("019mr8mf4r")
}

#[test]
fn regions_have_the_hosts_of_the_regional_guide() {
    assert_eq!(Region::Oregon.host(), "https://api.segment.io");
    assert_eq!(Region::Dublin.host(), "https://events.eu1.segmentapis.com");
    let both = serde_json::from_str::<Settings>(r#"{"write_key": "k", "region": "dublin", "host": "https://h"}"#);
    let error = both.unwrap().into_builder().unwrap_err().to_string();
    assert!(error.contains("region"), "{error}");
}

#[test]
fn a_configuration_file_makes_a_client_that_sends() {
    let api = TrackingApi::start().unwrap();
    let file = format!(
        r#"{{"write_key": "k", "host": "{}", "flush_interval": "1h", "context": {{"app": {{"name": "file"}}}}}}"#,
        api.url()
    );
    let settings: Settings = serde_json::from_str(&file).unwrap();
    let analytics = settings.into_builder().unwrap().build().unwrap();
    analytics.track(event()).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.events()[0]["context"]["app"]["name"], "file");
}

#[test]
fn gzip_compresses_the_body_and_says_so() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder().segment(Segment::new("k").host(api.url()).gzip(true)).build().unwrap();
    for _ in 0..10 {
        analytics.track(event()).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.events().len(), 10);
    for request in api.requests() {
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        let mut body = String::new();
        flate2::read::GzDecoder::new(&request.body()[..]).read_to_string(&mut body).unwrap();
        assert!(body.contains(r#""writeKey":"k""#), "{body}");
    }
}

#[test]
fn a_proxy_gets_the_request_and_its_password_stays_out_of_errors() {
    let proxy = TrackingApi::start().unwrap();
    proxy.accept_everything();
    for scheme in ["http://", ""] {
        let address = proxy.url().replace("http://", &format!("{scheme}user:secret@"));
        let analytics =
            Analytics::builder().segment(Segment::new("k").host("http://127.0.0.1:9").proxy(address)).build().unwrap();
        analytics.track(event()).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
    }
    let requests = proxy.requests();
    assert_eq!(requests.len(), 2, "with a scheme and without");
    for request in requests {
        assert!(request.path().ends_with("/v1/batch"), "{}", request.path());
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    }

    for wrong in ["user:secret@@:port", "htp://user:secret@proxy.example", "socks6://user:secret@127.0.0.1:1080"] {
        let error = Analytics::builder().segment(Segment::new("k").proxy(wrong)).build().unwrap_err();
        assert_eq!(error.setting(), "proxy");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn a_client_that_is_disabled_altogether_counts_and_tells_but_never_sends() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder().segment(Segment::new("").host(api.url())).disable_all(true).build().unwrap();
    let (told, ends) = mpsc::channel();
    let told_with_id = move |end: &tracklane::Settlement| {
        assert!(!end.message_id.is_empty(), "the event has an id, though it goes nowhere");
        told.send(end.outcome).unwrap();
    };
    analytics.track(event().on_delivery(told_with_id)).unwrap();
    assert!(analytics.track(Track::new("").user_id("u")).is_err(), "checks stay");
    assert_eq!(ends.recv_timeout(SOON).unwrap(), Outcome::Dropped(DropReason::Disabled));
    analytics.close_blocking(SOON);
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.refused, stats.pending), (1, 1, 0));
    assert_eq!(stats.dropped.get(DropReason::Disabled), 1);
    assert_eq!(api.request_count(), 0);
}

#[tokio::test]
async fn a_client_that_is_disabled_altogether_sends_nothing_when_its_pipeline_is_driven_by_hand_either() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder().segment(Segment::new("k").host(api.url())).disable_all(true).build().unwrap();
    // Segment has loaded when this has.
    analytics.register(after_fn("after", |_, _| {})).await.unwrap();
    let stopped = analytics.pipeline().call(event().into()).await.unwrap_err();
    let stopped = stopped.downcast::<Stopped>().unwrap();
    assert_eq!(stopped.reason, DropReason::Disabled);
    assert_eq!(analytics.close(SOON).await.pending, 0);
    assert_eq!(analytics.stats().dropped.get(DropReason::Disabled), 1);
    assert_eq!(api.request_count(), 0);
}

#[test]
fn a_blocking_call_returns_with_the_end_of_its_event() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder()
        .segment(
            Segment::new("k")
                .host(api.url())
                .flush_interval(Duration::from_secs(3600))
                .retry(RetryPolicy::new().max_retries(0)),
        )
        .build()
        .unwrap();
    let blocking = analytics.blocking(SOON);
    assert!(blocking.send(event()).unwrap().is_delivered());
    assert_eq!(api.events().len(), 1);

    api.set_default(Reply::status(404));
    let lost = blocking.send(event()).unwrap_err();
    let url = format!("{}/v1/batch", api.url().trim_end_matches('/'));
    let expected = format!("the event was dropped (rejected): HTTP status 404 Not Found: there is no {url}");
    assert_eq!(format!("{lost:#}"), expected);
    let BlockingError::Lost(end) = lost else { panic!("{lost:?}") };
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::Rejected));

    api.set_default(Reply::hang());
    let late = analytics.blocking(Duration::from_millis(100)).send(event()).unwrap_err();
    assert!(matches!(late, BlockingError::TimedOut { last_error: None, .. }), "{late:?}");
    assert!(matches!(blocking.send(Track::new("")), Err(BlockingError::Refused(_))));
    analytics.close_blocking(Duration::ZERO);
}

#[test]
fn the_global_client_is_one_and_says_when_it_is_not_there() {
    assert!(matches!(global::send(event()), Err(global::GlobalError::NotInitialized)));
    let api = TrackingApi::start().unwrap();
    let client = || Analytics::builder().segment(Segment::new("k").host(api.url())).build().unwrap();
    global::init(client()).unwrap();
    assert!(matches!(global::init(client()), Err(global::GlobalError::AlreadyInitialized)));
    global::send(event()).unwrap();
    assert!(global::analytics().unwrap().close_blocking(SOON).is_complete());
    assert!(matches!(global::send(event()), Err(global::GlobalError::Refused(_))));
    assert_eq!(api.events().len(), 1);
}

#[test]
fn two_clients_in_one_process_do_not_mix() {
    let apis = [TrackingApi::start().unwrap(), TrackingApi::start().unwrap()];
    for (api, key) in apis.iter().zip(["MARKETING", "APP"]) {
        let analytics = Analytics::builder().segment(Segment::new(key).host(api.url())).build().unwrap();
        analytics.track(Track::new(key).user_id("u")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
    }
    for (api, key) in apis.iter().zip(["MARKETING", "APP"]) {
        assert_eq!(api.events().len(), 1);
        assert_eq!(api.events()[0]["event"], key);
        assert_eq!(api.requests()[0].json().unwrap()["writeKey"], key);
    }
}

#[tokio::test]
async fn send_when_ready_waits_for_room_instead_of_being_refused() {
    let api = Arc::new(TrackingApi::start().unwrap());
    api.set_default(Reply::hang());
    let clock = ManualClock::new();
    let analytics = Analytics::builder()
        .segment(Segment::new("k").host(api.url()).flush_at(1))
        .max_queue_size(2)
        .clock(clock.clone())
        .build()
        .unwrap();
    for _ in 0..2 {
        analytics.send_when_ready(event()).await.unwrap();
    }
    assert!(analytics.track(event()).unwrap_err().is_queue_full());
    let waiting = tokio::spawn({
        let analytics = analytics.clone();
        async move { analytics.send_when_ready(event()).await }
    });
    let arrived = api.clone();
    tokio::task::spawn_blocking(move || arrived.wait_for_requests(2, SOON)).await.unwrap();
    assert!(!waiting.is_finished(), "there is no room yet");
    api.set_default(Reply::ok());
    // The hung attempts end with their timeout, and the next ones succeed.
    let moved = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            assert!(clock.wait_for_sleeper(..=Duration::from_secs(10)));
            clock.advance(Duration::from_secs(10));
        }
    });
    tokio::time::timeout(SOON, waiting).await.expect("room within ten seconds").unwrap().unwrap();
    analytics.close(SOON).await;
    drop(moved);
    assert!(analytics.send_when_ready(event()).await.unwrap_err().is_closed());
}

#[test]
fn drop_oldest_gives_way_to_the_new_and_counts_the_old() {
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::hang());
    let analytics = Analytics::builder()
        .segment(Segment::new("k").host(api.url()).flush_at(1).max_in_flight(1))
        .max_queue_size(5)
        .overflow(Overflow::DropOldest)
        .build()
        .unwrap();
    let in_flight = analytics.send_with_receipt(event()).unwrap();
    assert_eq!(api.wait_for_requests(1, SOON).len(), 1);
    let receipts: Vec<_> = (0..4).map(|_| analytics.send_with_receipt(event()).unwrap()).collect();
    let stats = || analytics.stats();
    wait_until(|| stats().destinations[0].queued_events == 4);
    for _ in 0..3 {
        analytics.track(event()).unwrap();
    }
    wait_until(|| stats().dropped.get(DropReason::QueueFull) == 3);
    for receipt in receipts.into_iter().take(3) {
        assert_eq!(receipt.wait().outcome, Outcome::Dropped(DropReason::QueueFull), "the first three give way");
    }
    assert_eq!(stats().destinations[0].queued_events, 4);
    assert_eq!(analytics.close_blocking(Duration::ZERO).unsent.len(), 5);
    assert_eq!(in_flight.wait().outcome, Outcome::Dropped(DropReason::Closed), "what is in flight stays");
}

/// Waits until another thread has done something. Fails after ten seconds.
fn wait_until(condition: impl Fn() -> bool) {
    let give_up = std::time::Instant::now() + SOON;
    while !condition() {
        assert!(std::time::Instant::now() < give_up, "the condition did not come true");
        std::thread::yield_now();
    }
}

#[test]
fn the_counts_come_out_as_metrics_while_it_works_and_at_the_close() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let api = TrackingApi::start().unwrap();
    let clock = ManualClock::new();
    let client = |clock: ManualClock| {
        let builder = Analytics::builder().segment(Segment::new("k").host(api.url()).flush_at(1)).clock(clock);
        builder.metrics(Duration::from_secs(5)).build().unwrap()
    };
    let analytics = client(clock.clone());
    let seen = RefCell::new(HashMap::new());
    let count = |name: &str, labels: &str| seen.borrow().get(&format!("{name}[{labels}]")).copied();
    let look = || {
        // A snapshot resets the recorder, and the client sets absolute values each time.
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let labels: Vec<&str> = key.key().labels().map(metrics::Label::value).collect();
            if let DebugValue::Counter(value) = value {
                let mut seen = seen.borrow_mut();
                let before = seen.entry(format!("{}[{}]", key.key().name(), labels.join(","))).or_insert(0);
                *before = value.max(*before);
            }
        }
    };
    let ones = [("events_accepted", ""), ("events_delivered", ""), ("destination_delivered", "Segment.io")];
    let all_are = |expected| {
        look();
        ones.iter().all(|(name, labels)| count(&format!("tracklane_{name}_total"), labels) == Some(expected))
    };
    // Before anything happened, and before an interval has passed: nobody can watch for a series that is not there.
    wait_until(|| all_are(0));
    for reason in DropReason::ALL {
        let of_destination = format!("Segment.io,{reason}");
        for (name, labels) in [("events", reason.as_str()), ("destination", &of_destination)] {
            let name = format!("tracklane_{name}_dropped_total");
            // The recorder may have been read while the first report was written.
            wait_until(|| {
                look();
                count(&name, labels).is_some()
            });
            assert_eq!(count(&name, labels), Some(0), "{name}, {labels}");
        }
    }
    assert!(analytics.send_with_receipt(event()).unwrap().wait().is_delivered());
    wait_until(|| {
        assert!(clock.wait_for_sleeper(..=Duration::from_secs(5)));
        clock.advance(Duration::from_secs(5));
        all_are(1)
    });

    // Another client adds its counts. The close reports the counts of the last interval.
    let other = client(ManualClock::new());
    for _ in 0..2 {
        other.track(event()).unwrap();
    }
    assert!(other.close_blocking(SOON).is_complete());
    assert!(all_are(3), "{:?}", seen.borrow());

    let never = Analytics::builder_for("k").metrics(Duration::ZERO).build().unwrap_err();
    assert_eq!((never.setting(), never.value()), ("metrics", "0ns"));
}

#[test]
fn a_blocking_call_does_not_wait_for_the_events_of_others() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder().segment(Segment::new("k").host(api.url())).build().unwrap();
    api.script([Reply::hang()]);
    analytics.track(event()).unwrap();
    let first = std::thread::spawn({
        let analytics = analytics.clone();
        move || analytics.flush_blocking(Duration::from_secs(5))
    });
    assert!(!api.wait_for_requests(1, SOON).is_empty());
    let start = std::time::Instant::now();
    assert!(analytics.blocking(SOON).send(event()).unwrap().is_delivered());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    first.join().unwrap();
}

#[test]
fn call_context_is_asked_once_however_long_send_when_ready_waits() {
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::hang());
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let provider = {
        let asked = asked.clone();
        move || {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            None
        }
    };
    let segment = Segment::new("k").host(api.url()).flush_at(1).retry(RetryPolicy::new().max_retries(0));
    let segment = segment.http_request_timeout(Duration::from_millis(100));
    let settings = Analytics::builder().segment(segment).max_queue_size(1).call_context(provider);
    let analytics = settings.build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..4 {
        runtime.block_on(analytics.send_when_ready(event())).unwrap();
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 4);
    analytics.close_blocking(Duration::ZERO);
}

#[test]
fn a_client_that_waits_has_the_six_calls() {
    let api = TrackingApi::start().unwrap();
    let segment = Segment::new("k").host(api.url());
    let client = Analytics::builder().segment(segment).build().unwrap().blocking(SOON);
    let ends = [
        client.track(Track::new("Item Purchased").user_id("u1")),
        client.identify(Identify::new().user_id("u1")),
        client.page(Page::new("Home").user_id("u1")),
        client.screen(Screen::new("Home").user_id("u1")),
        client.group(Group::new("g1").user_id("u1")),
        client.alias(Alias::new("a1", "u1")),
    ];
    assert!(ends.into_iter().all(|end| end.unwrap().is_delivered()));
    let kinds: Vec<_> = api.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["track", "identify", "page", "screen", "group", "alias"]);
    assert_eq!(api.request_count(), 6, "each by itself");
}
