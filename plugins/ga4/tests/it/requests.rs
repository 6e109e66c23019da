//! What Google gets, and what follows from its answers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, DropReason, Outcome, Track};
use tracklane_http::testing::{Reply, Server};

use crate::support::{SOON, at, client, ga4, track};

const HOUR: Duration = Duration::from_secs(3600);

fn bodies(server: &Server) -> Vec<Value> {
    server.requests().iter().map(|request| request.json().unwrap()).collect()
}

#[test]
fn a_request_has_the_events_of_one_client_and_user_twenty_five_at_most() {
    let server = Server::start([]).unwrap();
    server.otherwise(Reply::new(204));
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(63, HOUR)));
    for number in 0..60 {
        let who = ["a1", "a2"][number % 2];
        analytics.track(Track::new("A").anonymous_id(who).property("number", number)).unwrap();
    }
    (0..3).for_each(|_| analytics.track(Track::new("A").anonymous_id("a1").user_id("u1")).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 63);
    let mut counts: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (request, body) in server.requests().iter().zip(bodies(&server)) {
        assert_eq!(request.path, "/mp/collect?measurement_id=G-ABC123&api_secret=hunter2secret");
        let who = [&body["client_id"], &body["user_id"]].map(|id| id.as_str().unwrap_or_default().to_owned());
        let numbers: Vec<i64> =
            body["events"].as_array().unwrap().iter().filter_map(|event| event["params"]["number"].as_i64()).collect();
        assert!(numbers.is_sorted(), "the events of one person stay in order");
        counts.entry(who.into()).or_default().push(body["events"].as_array().unwrap().len());
    }
    let key = |client: &str, user: &str| (client.to_owned(), user.to_owned());
    let expected =
        BTreeMap::from([(key("a1", ""), vec![25, 5]), (key("a1", "u1"), vec![3]), (key("a2", ""), vec![25, 5])]);
    assert_eq!(counts, expected);
}

#[test]
fn what_google_may_have_counted_is_not_sent_again_but_for_what_it_counts_once() {
    let order = |id: &str| Track::new("Order Completed").anonymous_id("a1").property("order_id", id);
    for (setting, attempts_of_a, outcome) in
        [(false, 1, Outcome::Dropped(DropReason::Rejected)), (true, 2, Outcome::Delivered)]
    {
        let server = Server::start([Reply::reset()]).unwrap();
        server.otherwise(Reply::new(204));
        let destination = at(&server).retry_unknown(setting).build().unwrap().batching(Batching::every(2, HOUR));
        let analytics = client(destination);
        let unknown = analytics.send_with_receipt(track("A").message_id("m1")).unwrap();
        let once = analytics.send_with_receipt(order("o1")).unwrap();
        let there = unknown.wait().destinations.remove(0);
        assert_eq!(there.outcome, outcome, "retry_unknown {setting}");
        if let Some(error) = there.error {
            let told = format!("{error:#}");
            assert!(
                told.contains("event m1: ") && told.contains("may have counted it") && !told.contains("hunter2"),
                "{told}"
            );
        }
        assert!(once.wait().is_delivered(), "a purchase with a transaction_id is counted once");
        let names: Vec<String> = bodies(&server)
            .iter()
            .flat_map(|body| body["events"].as_array().unwrap().clone())
            .map(|event| event["name"].as_str().unwrap().to_owned())
            .collect();
        let count = |name: &str| names.iter().filter(|known| *known == name).count();
        assert_eq!((count("A"), count("purchase")), (attempts_of_a, 2), "retry_unknown {setting}");
    }
}

#[test]
fn a_request_that_hangs_costs_itself_after_its_deadline() {
    let server = Server::start([Reply::new(204), Reply::hang()]).unwrap();
    let clock = ManualClock::new();
    let destination = at(&server).timeout(Duration::from_secs(7)).build().unwrap().batching(Batching::every(2, HOUR));
    let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
    let counted = analytics.send_with_receipt(Track::new("A").anonymous_id("a1")).unwrap();
    let unknown = analytics.send_with_receipt(Track::new("A").anonymous_id("a2")).unwrap();
    assert_eq!(server.wait_for_requests(2, SOON).len(), 2);
    let deadline = Duration::from_secs(7);
    assert!(clock.wait_for_sleeper(deadline..=deadline), "{:?}", clock.next_wake());
    clock.advance(deadline);
    assert!(counted.wait().is_delivered(), "what was counted before is not sent again");
    let there = unknown.wait().destinations.remove(0);
    let told = format!("{:#}", there.error.unwrap());
    assert!(told.contains("no answer within 7s"), "{told}");
}

#[test]
fn without_a_connection_and_after_5xx_and_429_it_is_tried_again() {
    for (first, wait) in [(Reply::new(503), 1), (Reply::new(500), 1), (Reply::new(429).header("retry-after", "3"), 3)] {
        let server = Server::start([first]).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().schedule(|_| Duration::from_secs(1));
        let destination = at(&server).build().unwrap().batching(Batching::single()).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        let receipt = analytics.send_with_receipt(track("A")).unwrap();
        assert_eq!(server.wait_for_requests(1, SOON).len(), 1);
        let wait = Duration::from_secs(wait);
        assert!(clock.wait_for_sleeper(wait..=wait), "{:?}", clock.next_wake());
        clock.advance(wait);
        assert!(receipt.wait().is_delivered());
        let [one, two] = <[Value; 2]>::try_from(bodies(&server)).unwrap();
        assert_eq!(one, two);
    }
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let analytics = client(ga4().host(&format!("http://{closed}")).build().unwrap().batching(Batching::single()));
    let end = analytics.send_with_receipt(track("A")).unwrap().wait();
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::RetriesExhausted));
}

#[test]
fn an_event_that_google_would_count_at_another_time_is_not_sent() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(2, HOUR)));
    let now = SystemTime::now();
    let old = analytics.send_with_receipt(track("A").timestamp(now - 73 * HOUR)).unwrap();
    let young = analytics.send_with_receipt(track("A").timestamp(now - 71 * HOUR)).unwrap();
    assert_eq!(old.wait().outcome, Outcome::Dropped(DropReason::TooOld));
    assert!(young.wait().is_delivered());
    assert_eq!(bodies(&server)[0]["events"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_skipped_is_no_loss_and_keeps_nothing_from_the_others() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(3, HOUR)));
    analytics.track(track("A")).unwrap();
    analytics.track(track("session_start")).unwrap();
    analytics.identify(tracklane::Identify::new().user_id("u1")).unwrap();
    let report = analytics.flush_blocking(SOON);
    assert_eq!((report.delivered, report.failed), (1, 0), "{report:?}");
    assert_eq!(analytics.stats().dropped.get(DropReason::Skipped), 2);
    assert_eq!(
        bodies(&server)[0]["events"],
        json!([{"name": "A", "params": {"engagement_time_msec": 1}, "timestamp_micros": bodies(&server)[0]["events"][0]["timestamp_micros"]}])
    );
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).dry_run(true).build().unwrap());
    analytics.track(track("A")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    assert_eq!(server.requests().len(), 0);
}
