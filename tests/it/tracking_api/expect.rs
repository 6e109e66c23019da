//! Waiting for events at the local tracking API.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tracklane::testing::{ExpectError, Expectation, Reply, TrackingApi};
use tracklane::{Analytics, Track};

use crate::support::{SOON, api, client, quick_retries, segment, track};

/// Sends one batch by hand, in a thread of its own, and does not wait for the answer.
fn send(api: &TrackingApi, key: &str, names: &[&str]) -> thread::JoinHandle<()> {
    let (key, host) = (key.to_owned(), api.url());
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    thread::spawn(move || {
        let segment = tracklane::segment::Segment::new(key).host(host).max_in_flight(1);
        let analytics = Analytics::builder().segment(segment).build().unwrap();
        for name in names {
            analytics.track(track(&name)).unwrap();
        }
        analytics.close_blocking(SOON);
    })
}

fn named(name: &str) -> serde_json::Value {
    json!({ "type": "track", "event": name })
}

#[test]
fn what_came_before_and_what_comes_during_the_wait_meets_it() {
    let api = Arc::new(api());
    send(&api, "K", &["Before"]).join().unwrap();
    let events = api.expect(Expectation::new().event(named("Before"))).unwrap();
    assert_eq!((&events[0]["event"], &events[0]["userId"]), (&json!("Before"), &json!("u1")));
    let waiting = Arc::clone(&api);
    let asked = thread::spawn(move || waiting.expect(Expectation::new().event(named("During")).within(SOON)));
    send(&api, "K", &["During"]).join().unwrap();
    assert_eq!(asked.join().unwrap().unwrap()[0]["event"], "During");
}

#[test]
fn order_and_counts_are_those_of_the_calls() {
    let api = api();
    send(&api, "K", &["A", "B", "A"]).join().unwrap();
    let soon = || Expectation::new().within(Duration::from_millis(10));
    assert!(api.expect(soon().event(named("A")).event(named("B")).in_order()).is_ok());
    assert!(api.expect(soon().event(named("B")).event(named("A")).in_order()).is_ok());
    assert!(api.expect(soon().event(named("B")).event(named("A")).event(named("B")).in_order()).is_err());
    assert!(api.expect(soon().events(2, named("A")).exactly(2)).is_ok());
    let error = api.expect(soon().event(named("A")).exactly(1)).unwrap_err();
    assert!(error.to_string().contains("event 3 is one more than the 1"), "{error}");
    assert!(api.expect(soon().event(named("A")).after(3)).is_err(), "nothing came after the third");
}

#[test]
fn what_was_refused_has_not_arrived() {
    let api = api();
    api.script([Reply::status(503)]);
    let analytics = client(&api).segment(segment(&api).retry(quick_retries(3))).build().unwrap();
    analytics.track(track("Retried")).unwrap();
    analytics.close_blocking(SOON);
    assert_eq!(api.request_count(), 2);
    let once = Expectation::new().event(named("Retried")).exactly(1).within(Duration::from_millis(10));
    assert!(api.expect(once).is_ok(), "the attempt that failed does not count");
}

#[test]
fn absence_is_proved_by_what_comes_after_and_not_while_an_earlier_request_has_no_answer() {
    let api = Arc::new(api());
    send(&api, "K", &["Fine", "End"]).join().unwrap();
    let absent = |name: &str| Expectation::new().no_event(named(name)).until_event(named("End")).within(SOON);
    let begun = Instant::now();
    api.expect(absent("Refund")).unwrap();
    assert!(begun.elapsed() < SOON / 2, "it does not wait for the end of time");
    assert!(api.expect(absent("Fine")).is_err());

    // The first request holds what is not to come, and is answered after the second.
    let api = Arc::new(crate::support::api());
    api.script([Reply::ok().delay(Duration::from_millis(300))]);
    let first = send(&api, "K", &["Refund"]);
    api.wait_for_requests(1, SOON);
    send(&api, "K", &["End"]).join().unwrap();
    let error = api.expect(absent("Refund")).unwrap_err();
    assert!(error.to_string().contains("event 1 was not to arrive"), "{error}");
    first.join().unwrap();
}

#[test]
fn a_miss_shows_the_nearest_events_and_where_they_differ() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    analytics.track(Track::new("Order Completed").user_id("u1").property("total", 5)).unwrap();
    analytics.close_blocking(SOON);
    let order = json!({ "event": "Order Completed", "properties": { "total": { "$gt": 10 } } });
    let error = api.expect(Expectation::new().event(order).within(Duration::from_millis(10))).unwrap_err();
    let shown = format!("{error:?}");
    let expected = "not met: 1 of 1 expected events did not arrive (1 events were looked at)\n  \
                    expected {\"event\":\"Order Completed\",\"properties\":{\"total\":{\"$gt\":10}}}\n  \
                    near: 1 track \"Order Completed\" differs:\n    properties.total is 5, expected more than 10";
    assert_eq!(shown, expected);
    let ExpectError::NotMet(not_met) = error else { panic!("{shown}") };
    assert!(not_met.verdict().timed_out && not_met.verdict().missing[0].nearest[0].event["userId"] == "u1");
}

#[test]
fn what_is_no_expectation_is_refused_at_once() {
    let api = api();
    let begun = Instant::now();
    for expectation in [
        Expectation::new(),
        Expectation::new().event("Order Completed"),
        Expectation::new().event(json!({ "a": { "$more": 1 } })),
        Expectation::new().no_event(named("A")).exactly(1),
    ] {
        assert!(matches!(api.expect(expectation.clone()), Err(ExpectError::Invalid(_))), "{expectation:?}");
    }
    assert!(begun.elapsed() < SOON / 4);
}

#[test]
fn scopes_keep_parallel_tests_apart() {
    let api = Arc::new(api());
    let tests = (0..8).map(|number| {
        let api = Arc::clone(&api);
        thread::spawn(move || {
            let key = format!("K{number}");
            let sent = send(&api, &key, &["Done", "Done", "End"]);
            let expected = Expectation::new().events(2, named("Done")).exactly(2).until_event(named("End"));
            api.expect(expected.scope(&key).within(SOON)).unwrap();
            sent.join().unwrap();
        })
    });
    tests.collect::<Vec<_>>().into_iter().for_each(|test| test.join().unwrap());
    let none = Expectation::new().event(named("Done")).scope("Other").within(Duration::from_millis(1));
    assert!(api.expect(none).is_err());
}
