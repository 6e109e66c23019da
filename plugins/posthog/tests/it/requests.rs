//! What PostHog gets, and what follows from its answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::signal::Error;
use tracklane::testing::ManualClock;
use tracklane::{Analytics, DropReason, Identify};
use tracklane_http::testing::{Reply, Request, Server};

use crate::support::{KEY, SOON, at, client, track};

const HOUR: Duration = Duration::from_secs(3600);

fn uuids(request: &Request) -> Vec<Value> {
    let body = request.json().unwrap();
    body["batch"].as_array().unwrap().iter().map(|item| item["uuid"].clone()).collect()
}

#[test]
fn a_batch_is_one_compressed_request_with_the_key_in_its_body() {
    let server = Server::start([Reply::new(200).body(r#"{"status":1}"#)]).unwrap();
    let batching = Batching::every(3, HOUR);
    let analytics = client(at(&server).build().unwrap().batching(batching));
    (0..3).for_each(|n| analytics.track(track().message_id(format!("m{n}"))).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 3);
    let [request] = <[Request; 1]>::try_from(server.requests()).unwrap();
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/batch/?compression=gzip"));
    assert_eq!((request.header("content-encoding"), request.header("content-type")), ("gzip", "application/json"));
    assert_eq!(request.headers.get("authorization"), None);
    let body = request.json().unwrap();
    assert_eq!((&body["api_key"], &body["historical_migration"]), (&json!(KEY), &Value::Null));
    assert_eq!(body["batch"].as_array().unwrap().len(), 3);
    let ids = (0..3).map(|n| json!(tracklane::event::message_uuid(&format!("m{n}")))).collect::<Vec<_>>();
    assert_eq!(uuids(&request), ids);
}

#[test]
fn a_second_attempt_has_the_same_ids_and_the_time_of_its_own() {
    let second = Duration::from_secs(1);
    for (what, first, wait) in [
        ("500", Reply::new(500), second),
        ("503", Reply::new(503).header("retry-after", "7"), 7 * second),
        ("429", Reply::new(429).header("retry-after", "3"), 3 * second),
        ("429 without a time", Reply::new(429), second),
        ("a reset", Reply::reset(), second),
    ] {
        let server = Server::start([first]).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().max_retries(5).schedule(|_| Duration::from_secs(1));
        let destination = at(&server).build().unwrap().batching(Batching::every(2, HOUR)).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        (0..2).for_each(|n| analytics.track(track().message_id(format!("m{n}"))).unwrap());
        assert_eq!(server.wait_for_requests(1, SOON).len(), 1, "{what}");
        assert!(clock.wait_for_sleeper(wait..=wait), "{what}: {:?}", clock.next_wake());
        clock.advance(wait);
        let [one, two] = <[Request; 2]>::try_from(server.wait_for_requests(2, SOON)).unwrap();
        assert_eq!(uuids(&one), uuids(&two), "{what}");
        let [one, two] = [one, two].map(|request| request.json().unwrap());
        assert_eq!(one["batch"], two["batch"], "{what}");
        let sent = |body: &Value| -> SystemTime {
            body["sent_at"].as_str().unwrap().parse::<tracklane::event::Timestamp>().unwrap().into()
        };
        assert_eq!(sent(&two), sent(&one) + wait, "{what}: PostHog corrects clocks by it");
        assert_eq!(analytics.close_blocking(SOON).delivered, 2, "{what}");
    }
}

#[test]
fn one_bad_event_costs_only_itself() {
    for first in [Reply::new(400).body("no event name"), Reply::new(413), Reply::new(400).body("body too big")] {
        let server = Server::start([Reply::new(200), first]).unwrap();
        let destination = at(&server).build().unwrap().batching(Batching::every(1, HOUR));
        let analytics = client(destination);
        analytics.track(track()).unwrap();
        analytics.flush_blocking(SOON);
        // One that PostHog takes first shows that the settings are right.
        analytics.track(track().message_id("m1")).unwrap();
        let report = analytics.close_blocking(SOON);
        assert_eq!((report.delivered, report.failed), (1, 1), "{report:?}");
    }
}

#[test]
fn a_refused_key_is_told_in_posthogs_words_without_the_key() {
    for status in [401, 403] {
        let server = Server::start([]).unwrap();
        server.otherwise(Reply::new(status).body(format!("API key {KEY} is not valid")));
        let analytics = client(at(&server).build().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        let _subscription = analytics.on(Error, move |failure| hearing.lock().unwrap().push(failure.to_string()));
        analytics.track(track()).unwrap();
        analytics.flush_blocking(SOON);
        assert_eq!(analytics.stats().dropped.get(DropReason::Unauthorized), 1);
        analytics.close_blocking(SOON);
        let told = heard.lock().unwrap().join("\n");
        assert!(told.contains("API key … is not valid") && !told.contains(KEY), "{told}");
    }
}

#[test]
fn what_is_not_sent_is_told_per_event_and_the_rest_goes_out() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(3, HOUR)));
    let good = analytics.send_with_receipt(track()).unwrap();
    let skipped = analytics.send_with_receipt(Identify::new().user_id("undefined")).unwrap();
    let refused = analytics.send_with_receipt(track().message_id("m3").user_id("x".repeat(201))).unwrap();
    assert!(good.wait().is_delivered());
    let [skipped, refused] = [skipped, refused].map(|receipt| receipt.wait().destinations.remove(0));
    assert_eq!(skipped.outcome, tracklane::Outcome::Dropped(DropReason::Skipped));
    let told = format!("{:#}", skipped.error.unwrap());
    assert!(told.contains("merges no person with the id \"undefined\""), "{told}");
    assert_eq!(refused.outcome, tracklane::Outcome::Dropped(DropReason::Rejected));
    let told = format!("{:#}", refused.error.unwrap());
    assert!(told.starts_with("event m3: ") && told.contains("200 characters"), "{told}");
    assert_eq!(server.requests().len(), 1);
    assert_eq!(uuids(&server.requests()[0]).len(), 1);
}

#[test]
fn old_events_go_out_as_historical_by_themselves() {
    for (setting, requests) in [(false, 1), (true, 2)] {
        let server = Server::start([]).unwrap();
        let destination = at(&server).historical(setting).build().unwrap().batching(Batching::every(3, HOUR));
        let analytics = client(destination);
        let now = SystemTime::now();
        for (n, age) in [Duration::ZERO, 47 * HOUR, 49 * HOUR].into_iter().enumerate() {
            analytics.track(track().message_id(format!("m{n}")).timestamp(now - age)).unwrap();
        }
        assert_eq!(analytics.close_blocking(SOON).delivered, 3);
        let sent: Vec<_> = server.requests().iter().map(|request| request.json().unwrap()).collect();
        assert_eq!(sent.len(), requests, "{setting}");
        if let [live, old] = &*sent {
            assert_eq!(live["batch"].as_array().unwrap().len(), 2);
            assert_eq!((&old["historical_migration"], &live["historical_migration"]), (&json!(true), &Value::Null));
        }
    }
}

#[test]
fn a_server_that_fails_at_the_second_request_keeps_what_it_took_of_the_first() {
    let server = Server::start([Reply::new(200), Reply::reset()]).unwrap();
    let destination = at(&server).historical(true).build().unwrap().batching(Batching::every(2, HOUR));
    let analytics = client(destination);
    let now = SystemTime::now();
    analytics.track(track().message_id("live").timestamp(now)).unwrap();
    analytics.track(track().message_id("old").timestamp(now - 60 * HOUR)).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 2);
    let sent: Vec<_> = server.requests().iter().map(uuids).collect();
    let [live, old] = ["live", "old"].map(|id| vec![json!(tracklane::event::message_uuid(id))]);
    assert_eq!(sent, [live, old.clone(), old], "what was taken is not sent again");
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).dry_run(true).build().unwrap());
    analytics.track(track()).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    assert_eq!(server.requests().len(), 0);
}
