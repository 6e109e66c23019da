//! What Amplitude gets, and what follows from its answers.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Alias, Analytics, DropReason, Outcome, Receipt};
use tracklane_http::testing::{Reply, Request, Server};

use crate::support::{KEY, SOON, at, client, track};

const HOUR: Duration = Duration::from_secs(3600);

fn ids(request: &Request) -> Vec<String> {
    let body = request.json().unwrap();
    body["events"].as_array().unwrap().iter().map(|item| item["insert_id"].as_str().unwrap().to_owned()).collect()
}

fn send(analytics: &Analytics, count: usize) -> Vec<Receipt> {
    let event = |n: usize| track().message_id(format!("m{n}")).user_id(format!("u{n}"));
    (0..count).map(|n| analytics.send_with_receipt(event(n)).unwrap()).collect()
}

/// How each ended, and what was said of it.
fn ends(receipts: Vec<Receipt>) -> Vec<(Outcome, String)> {
    let end = |receipt: Receipt| {
        let there = receipt.wait().destinations.remove(0);
        (there.outcome, there.error.map(|error| format!("{error:#}")).unwrap_or_default())
    };
    receipts.into_iter().map(end).collect()
}

#[test]
fn a_batch_is_one_request_with_the_key_in_its_body() {
    for gzip in [false, true] {
        let server = Server::start([Reply::new(200).body(r#"{"code":200,"events_ingested":2}"#)]).unwrap();
        let analytics = client(at(&server).gzip(gzip).build().unwrap().batching(Batching::every(2, HOUR)));
        send(&analytics, 2).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
        let [request] = <[Request; 1]>::try_from(server.requests()).unwrap();
        assert_eq!((request.method.as_str(), &*request.path), ("POST", "/batch"));
        assert_eq!(request.header("content-encoding"), if gzip { "gzip" } else { "" });
        let body = request.json().unwrap();
        assert_eq!((&body["api_key"], &body["options"]), (&json!(KEY), &json!({"min_id_length": 1})));
        assert!(body["client_upload_time"].as_str().unwrap().ends_with('Z'));
        assert_eq!(ids(&request), ["m0", "m1"]);
    }
}

#[test]
fn an_alias_is_a_form_to_the_user_mapping() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).user_mapping(true).build().unwrap());
    analytics.alias(Alias::new("old", "new")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    let request = &server.requests()[0];
    assert_eq!((&*request.path, request.header("content-type")), ("/usermap", "application/x-www-form-urlencoded"));
    let form = "api_key=hunter2key&mapping=%5B%7B%22user_id%22%3A%22old%22%2C%22global_user_id%22%3A%22new%22%7D%5D";
    assert_eq!(request.text().unwrap(), form);
}

#[test]
fn events_that_amplitude_names_are_refused_and_the_others_come_again() {
    let body = json!({
        "code": 400,
        "error": "Request has invalid events",
        "events_with_invalid_fields": {"time": [0]},
        "events_with_missing_fields": {"event_type": [2]},
        "events_with_invalid_id_lengths": {"user_id": [2, 3]},
        "silenced_events": [4],
    });
    let server = Server::start([Reply::new(400).body(body.to_string())]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(6, HOUR)));
    let ends = ends(send(&analytics, 6));
    let rejected = Outcome::Dropped(DropReason::Rejected);
    for (event, why) in
        [(0, "time is invalid"), (2, "user_id is too short or too long"), (3, "user_id is"), (4, "silenced")]
    {
        let (outcome, told) = &ends[event];
        assert!(*outcome == rejected && told.contains(&format!("event m{event}: ")) && told.contains(why), "{told}");
    }
    assert!(ends[1].0.is_delivered() && ends[5].0.is_delivered());
    let sent: Vec<_> = server.requests().iter().map(ids).collect();
    assert_eq!(sent[1..], [["m1", "m5"]], "nothing had been stored");
}

#[test]
fn an_id_over_its_daily_quota_costs_its_own_events_only() {
    let body = json!({
        "code": 429,
        "error": "Too many requests for some devices and users",
        "eps_threshold": 10,
        "throttled_events": [0, 1],
        "exceeded_daily_quota_users": {"u1": 500_001},
        "exceeded_daily_quota_devices": {},
    });
    let server = Server::start([Reply::new(429).body(body.to_string())]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(3, HOUR)));
    let ends = ends(send(&analytics, 3));
    assert!(ends[0].0.is_delivered() && ends[2].0.is_delivered());
    assert_eq!(ends[1].0, Outcome::Dropped(DropReason::Rejected));
    assert!(ends[1].1.contains("over the daily quota"), "{}", ends[1].1);
    assert_eq!(ids(&server.requests()[1]), ["m0", "m2"]);
}

#[test]
fn a_second_attempt_has_the_same_ids_and_the_time_of_its_own() {
    let second = Duration::from_secs(1);
    for (what, first, wait) in [
        ("503", Reply::new(503), second),
        ("429", Reply::new(429).body(r#"{"code":429,"throttled_events":[0]}"#), second),
        ("429 with a time", Reply::new(429).header("retry-after", "30"), 30 * second),
        ("a reset", Reply::reset(), second),
    ] {
        let server = Server::start([first]).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().max_retries(5).schedule(|_| Duration::from_secs(1));
        let destination = at(&server).build().unwrap().batching(Batching::every(2, HOUR)).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        let receipts = send(&analytics, 2);
        assert_eq!(server.wait_for_requests(1, SOON).len(), 1, "{what}");
        assert!(clock.wait_for_sleeper(wait..=wait), "{what}: {:?}", clock.next_wake());
        clock.advance(wait);
        let [one, two] = <[Request; 2]>::try_from(server.wait_for_requests(2, SOON)).unwrap();
        let [one, two] = [one, two].map(|request| request.json().unwrap());
        assert_eq!(one["events"], two["events"], "{what}");
        let sent = |body: &Value| -> SystemTime {
            body["client_upload_time"].as_str().unwrap().parse::<tracklane::event::Timestamp>().unwrap().into()
        };
        assert_eq!(sent(&two), sent(&one) + wait, "{what}");
        receipts.into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered(), "{what}"));
    }
}

#[test]
fn statuses_mean_what_amplitude_says() {
    let table = [
        (400, r#"{"code":400,"error":"Invalid API key: hunter2key"}"#, DropReason::Unauthorized),
        (400, r#"{"code":400,"error":"Missing","missing_field":"api_key"}"#, DropReason::Unauthorized),
        (400, r#"{"code":400,"error":"Invalid JSON"}"#, DropReason::Rejected),
        (400, "not JSON", DropReason::Rejected),
        (413, r#"{"code":413,"error":"Payload too large"}"#, DropReason::TooLarge),
    ];
    for (status, body, reason) in table {
        let server = Server::start([]).unwrap();
        server.otherwise(Reply::new(status).body(body));
        let analytics = client(at(&server).build().unwrap());
        let (outcome, told) = ends(send(&analytics, 1)).remove(0);
        assert_eq!(outcome, Outcome::Dropped(reason), "{body}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).dry_run(true).build().unwrap());
    assert!(ends(send(&analytics, 1))[0].0.is_delivered());
    assert_eq!(server.requests().len(), 0);
}

/// Amplitude's documentation of `/batch`: 2,000 events in a request.
#[test]
fn no_request_has_more_events_than_amplitude_takes() {
    let server = Server::start([]).unwrap();
    let batching = Batching::every(2_001, HOUR).max_events(2_001).max_bytes(usize::MAX);
    let analytics = client(at(&server).build().unwrap().batching(batching));
    send(&analytics, 2_001).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
    let counts: Vec<usize> = server.requests().iter().map(|request| ids(request).len()).collect();
    assert_eq!(counts, [2_000, 1]);
}
