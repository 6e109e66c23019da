//! Attempts that fail, and endpoints that are gone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::plugin::Batching;
use tracklane::signal::Error;
use tracklane::testing::ManualClock;
use tracklane_http::testing::{Reply, Server};
use tracklane_webhook::Webhook;

use crate::support::{OTHER, SECRET, SOON, client, client_with, ping, sent_at, verified, webhook};

#[test]
fn a_second_attempt_has_the_same_id_and_a_new_time_and_signature() {
    let table: [(&str, Reply, Duration); 6] = [
        ("429", Reply::new(429), Duration::from_secs(1)),
        ("429 with Retry-After", Reply::new(429).header("retry-after", "7"), Duration::from_secs(7)),
        ("503 with a date", retry_at("Tue, 10 Nov 2009 23:00:30 GMT"), Duration::from_secs(30)),
        ("500", Reply::new(500), Duration::from_secs(1)),
        ("a reset", Reply::reset(), Duration::from_secs(1)),
        ("400", Reply::new(400), Duration::from_secs(1)),
    ];
    for (what, reply, wait) in table {
        for batched in [false, true] {
            let server = Server::start([reply.clone()]).unwrap();
            let clock = ManualClock::new();
            let mut webhook = webhook(&server).secret(OTHER).idempotency_key(true);
            if batched {
                webhook = webhook.batched(Batching::every(2, Duration::from_secs(3600)));
            }
            let analytics = client_with(webhook.build().unwrap(), &clock);
            let events = if batched { 2 } else { 1 };
            (0..events).for_each(|_| analytics.track(ping()).unwrap());
            assert_eq!(server.wait_for_requests(1, SOON).len(), 1, "{what}");
            // The wait before the retry, not the deadline of the attempt.
            assert!(clock.wait_for_sleeper(wait..=wait), "{what}: nobody waits {wait:?}, but {:?}", clock.next_wake());
            clock.advance(wait);
            let requests = server.wait_for_requests(2, SOON);
            let [first, second] = &*requests else { panic!("{what}: {} requests", requests.len()) };
            let ids = [first, second].map(|request| verified(request, &[SECRET]).unwrap().id);
            assert_eq!(ids[0], ids[1], "{what}: another id");
            assert_eq!(second.header("idempotency-key"), ids[0], "{what}");
            assert_eq!(first.body, second.body, "{what}: another body");
            assert_eq!(sent_at(second), sent_at(first) + wait, "{what}: not the time of the attempt");
            assert_ne!(first.header("webhook-signature"), second.header("webhook-signature"), "{what}");
            let report = analytics.close_blocking(SOON);
            assert_eq!(report.delivered, events, "{what}: {report:?}");
        }
    }
}

fn retry_at(date: &str) -> Reply {
    Reply::new(503).header("retry-after", date)
}

#[test]
fn an_endpoint_that_hangs_is_tried_again_after_the_timeout() {
    let server = Server::start([Reply::hang()]).unwrap();
    let clock = ManualClock::new();
    let analytics = client_with(webhook(&server).build().unwrap(), &clock);
    analytics.track(ping()).unwrap();
    assert_eq!(server.wait_for_requests(1, SOON).len(), 1);
    let timeout = Duration::from_secs(20);
    assert!(clock.wait_for_sleeper(timeout..=timeout), "no attempt has 20 s: {:?}", clock.next_wake());
    clock.advance(timeout);
    let second = Duration::from_secs(1);
    assert!(clock.wait_for_sleeper(second..=second), "no retry: {:?}", clock.next_wake());
    clock.advance(second);
    let requests = server.wait_for_requests(2, SOON);
    assert_eq!(sent_at(&requests[1]), sent_at(&requests[0]) + timeout + second);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
}

#[test]
fn gone_stops_the_endpoint_and_says_so_once() {
    let server = Server::start([Reply::new(200), Reply::new(410).body("closed")]).unwrap();
    let analytics = client(webhook(&server).name("Hooks").build().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = heard.clone();
    let subscription = analytics.on(Error, move |failure| hearing.lock().unwrap().push(failure.to_string()));
    for _ in 0..5 {
        analytics.track(ping()).unwrap();
        // One after the other.
        analytics.flush_blocking(SOON);
    }
    let report = analytics.close_blocking(SOON);
    drop(subscription);
    assert_eq!((server.requests().len(), report.delivered), (2, 1), "{report:?}");
    let heard = heard.lock().unwrap();
    let loud = heard.iter().filter(|told| told.starts_with("Hooks: the endpoint has answered 410 Gone")).count();
    assert_eq!(loud, 1, "{heard:#?}");
}

#[test]
fn redirects_are_tried_again_and_never_followed() {
    let elsewhere = Server::start([]).unwrap();
    let server = Server::start([Reply::new(307).header("location", &elsewhere.url("/"))]).unwrap();
    let analytics = client(webhook(&server).build().unwrap());
    analytics.track(ping()).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    assert_eq!((server.requests().len(), elsewhere.requests().len()), (2, 0));
}

#[test]
fn client_errors_are_final_if_asked_for() {
    for (status, are_final, requests) in [
        (400, false, 3),
        (404, false, 3),
        (400, true, 1),
        (401, true, 1),
        (404, true, 1),
        (429, true, 3),
        (500, true, 3),
    ] {
        let server = Server::start([]).unwrap();
        server.otherwise(Reply::new(status));
        let analytics = client(webhook(&server).client_errors_are_final(are_final).build().unwrap());
        analytics.track(ping()).unwrap();
        assert_eq!(analytics.close_blocking(SOON).delivered, 0, "{status}");
        assert_eq!(server.requests().len(), requests, "{status}, final: {are_final}");
    }
}

#[test]
fn a_batch_that_is_too_large_is_split_and_costs_only_the_event_that_is_to_blame() {
    for says in ["server", "max_body_bytes"] {
        let script = if says == "server" { vec![Reply::new(413)] } else { vec![] };
        let server = Server::start(script).unwrap();
        let batching = Batching::every(4, Duration::from_secs(60)).max_events(4);
        let mut webhook = webhook(&server).batched(batching);
        if says == "max_body_bytes" {
            webhook = webhook.max_body_bytes(700);
        }
        let analytics = client(webhook.build().unwrap());
        for number in 0..4 {
            let filling = if number == 2 && says == "max_body_bytes" { 1_000 } else { 1 };
            analytics.track(ping().message_id(format!("m{number}")).property("filling", "x".repeat(filling))).unwrap();
        }
        let report = analytics.close_blocking(SOON);
        let taken = server.requests().into_iter().skip(usize::from(says == "server"));
        let taken: BTreeSet<String> = taken
            .flat_map(|request| request.json().unwrap().as_array().unwrap().clone())
            .map(|item| item["data"]["messageId"].as_str().unwrap().to_owned())
            .collect();
        let expected: &[&str] = if says == "server" { &["m0", "m1", "m2", "m3"] } else { &["m0", "m1", "m3"] };
        assert!(taken.iter().eq(expected), "{says}: {taken:?}");
        assert_eq!(report.delivered, expected.len() as u64, "{says}: {report:?}");
    }
}

#[test]
fn no_secret_is_in_what_an_endpoint_makes_the_client_say() {
    let server = Server::start([]).unwrap();
    server.otherwise(Reply::new(404).body(format!("hunter2 {SECRET} hunter3 hunter4 /hunter5?a")));
    let webhook = Webhook::new(server.url("/hunter5?a").replace("//", "//user:hunter4@"))
        .secret(SECRET)
        .header("Authorization", "Bearer hunter2")
        .segment_signature("hunter3")
        .client_errors_are_final(true);
    let shown = format!("{webhook:?}");
    let analytics = client(webhook.build().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = heard.clone();
    let _subscription =
        analytics.on(Error, move |failure| hearing.lock().unwrap().push(format!("{failure} {:?}", failure.error)));
    analytics.track(ping()).unwrap();
    analytics.close_blocking(SOON);
    let told = heard.lock().unwrap().join("\n") + &shown;
    assert!(told.contains("answered 404 Not Found: … … … … …"), "{told}");
    assert!(!told.contains("hunter") && !told.contains("MfKQ9r8GKY"), "{told}");
}
