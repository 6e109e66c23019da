//! Assertions that wait.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tracklane::testing::{DevServer, ExpectError, Expectation};

use crate::support::{Dev, run, stderr, stdout};

#[test]
fn an_expectation_is_met_by_what_came_before_and_by_what_comes_during_the_wait() {
    let dev = Arc::new(Dev::start(&[]));
    dev.track("Before", "");
    let (status, verdict) = dev.ask("POST", "expect", r#"{"all":[{"event":"Before"}]}"#);
    assert_eq!((status, &verdict["events"]), (200, &json!([1])));
    let waiting = Arc::clone(&dev);
    let asked = thread::spawn(move || {
        let answer = waiting.ask("POST", "expect", r#"{"all":[{"event":"During","type":"track"}],"withinMs":20000}"#);
        (answer, Instant::now())
    });
    thread::sleep(Duration::from_millis(100));
    dev.track("During", "");
    let arrived = Instant::now();
    let ((status, verdict), answered) = asked.join().unwrap();
    assert_eq!((status, &verdict["events"]), (200, &json!([2])));
    assert!(answered.saturating_duration_since(arrived) < Duration::from_secs(2));
}

#[test]
fn absence_is_proved_by_what_comes_after_and_without_sleeping() {
    let dev = Dev::start(&[]);
    dev.track("Fine", "");
    dev.track("End", "");
    dev.track("Refund", "");
    let start = Instant::now();
    let ask = |body: &str| dev.ask("POST", "expect", body);
    let (status, verdict) = ask(r#"{"none":[{"event":"Refund"}],"until":{"event":"End"},"withinMs":60000}"#);
    assert_eq!((status, &verdict["until"]), (200, &json!(2)), "{verdict}");
    assert!(start.elapsed() < Duration::from_secs(10), "it did not wait for the end of time");
    let (status, verdict) = ask(r#"{"none":[{"event":"Fine"}],"until":{"event":"End"},"within_ms":60000}"#);
    assert_eq!((status, &verdict["unexpected"], &verdict["timedOut"]), (417, &json!([1]), &json!(false)));
}

#[test]
fn a_miss_shows_the_nearest_events() {
    let dev = Dev::start(&[]);
    dev.track("Order Completed", r#""properties":{"total":5}"#);
    dev.post("/v1/page", r#"{"userId":"u"}"#);
    let body = r#"{"all":[{"event":"Order Completed","properties":{"total":{"$gt":10}}}],"withinMs":10}"#;
    let (status, verdict) = dev.ask("POST", "expect", body);
    assert_eq!((status, &verdict["timedOut"]), (417, &json!(true)));
    let nearest = &verdict["missing"][0]["nearest"][0];
    assert_eq!((&nearest["seq"], &nearest["head"]["name"]), (&json!(1), &json!("Order Completed")));
    assert_eq!(nearest["differ"], json!([{"path":"properties.total","expected":"more than 10","found":5}]));
}

#[test]
fn what_is_no_expectation_or_looks_behind_the_window_says_so() {
    let dev = Dev::start(&["--keep", "5KB"]);
    for wrong in ["", "{}", r#"{"all":[{"a":{"$gt":"x"}}]}"#] {
        let (status, problem) = dev.ask("POST", "expect", wrong);
        assert!(status == 400 && problem["error"].is_string(), "{wrong}: {problem}");
    }
    (0..50).for_each(|_| dev.track("Filling", ""));
    assert_eq!(dev.ask("POST", "expect", r#"{"all":[{"event":"X"}],"after":1,"withinMs":1}"#).0, 410);
    assert_eq!(dev.ask("POST", "expect", r#"{"all":[{"event":"X"}],"after":50,"withinMs":1}"#).0, 417);
}

/// `TRACKLANE_EXPECTS=10000` for the long form.
#[test]
fn scopes_keep_parallel_tests_apart() {
    let expects: usize = std::env::var("TRACKLANE_EXPECTS").map_or(80, |count| count.parse().unwrap());
    let dev = Arc::new(Dev::start(&[]));
    let tests = (0..8).map(|number| {
        let dev = Arc::clone(&dev);
        thread::spawn(move || {
            for round in 0..expects.div_ceil(8) {
                let key = format!("K{number}-{round}");
                let body = format!(r#"{{"event":"Done","userId":"u","writeKey":"{key}"}}"#);
                let sender = Arc::clone(&dev);
                let sent = thread::spawn(move || (sender.post("/v1/track", &body), sender.post("/v1/track", &body)));
                let expectation = format!(
                    r#"{{"scope":"{key}","all":[{{"event":"Done"}},{{"event":"Done"}}],"none":[{{"event":"Never"}}],
                        "withinMs":20000,"until":{{"event":"End"}}}}"#
                );
                let waiter = Arc::clone(&dev);
                let asked = thread::spawn(move || waiter.ask("POST", "expect", &expectation));
                sent.join().unwrap();
                dev.post("/v1/track", &format!(r#"{{"event":"End","userId":"u","writeKey":"{key}"}}"#));
                let (status, verdict) = asked.join().unwrap();
                assert_eq!(status, 200, "{key}: {verdict}");
            }
        })
    });
    let tests: Vec<_> = tests.collect();
    tests.into_iter().for_each(|test| test.join().unwrap());
}

#[test]
fn the_command_ends_with_a_code_that_says_how_it_went() {
    let dev = Dev::start(&[]);
    dev.track("Order Completed", r#""properties":{"total":39.95}"#);
    let expect = |arguments: &[&str]| {
        let mut all = vec!["expect", "--url", &dev.url];
        all.extend(arguments);
        run(&all)
    };
    let met =
        expect(&["--event", "Order Completed", "--where", "properties.total>10", "--where", "properties.total<40"]);
    assert_eq!((met.status.code(), stdout(&met).as_str()), (Some(0), "met, by 1\n"), "{}", stderr(&met));
    let missed = expect(&["--event", "Order Completed", "--where", "properties.total>40", "--within", "10ms"]);
    assert_eq!(missed.status.code(), Some(4));
    assert!(stderr(&missed).contains("properties.total is 39.95, expected more than 40"), "{}", stderr(&missed));
    assert_eq!(expect(&["--event", "Order Completed", "--count", "2", "--within", "10ms"]).status.code(), Some(4));
    assert_eq!(expect(&["--event", "Order Completed", "--none", "--within", "10s"]).status.code(), Some(1));
    assert_eq!(expect(&["--event", "Refund", "--none", "--within", "10ms"]).status.code(), Some(0));
    assert_eq!(expect(&[]).status.code(), Some(2));
    assert_eq!(expect(&["--where", "total"]).status.code(), Some(2));
    let json = expect(&["--event", "Order Completed", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stdout(&json)).unwrap()["met"], true);
    let nowhere = run(&["expect", "--url", "http://127.0.0.1:9", "--event", "E"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(stderr(&nowhere).contains("Start it with: tracklane dev"), "{}", stderr(&nowhere));
}

#[test]
fn a_test_in_rust_asks_the_same_server() {
    let dev = Dev::start(&["--keep", "5KB"]);
    let asked = DevServer::new(&dev.url);
    dev.post("/v1/track", r#"{"event":"Order Completed","userId":"42","writeKey":"K","properties":{"total":5}}"#);
    let order = |total: u32| json!({"type":"track","event":"Order Completed","properties":{"total":{"$gt":total}}});
    let expect = |matcher| Expectation::new().event(matcher).scope("K").within(Duration::from_millis(10));
    let events = asked.expect(expect(order(1))).unwrap();
    assert_eq!((&events[0]["type"], &events[0]["userId"]), (&json!("track"), &json!("42")));
    let missed = format!("{:?}", asked.expect(expect(order(9))).unwrap_err());
    assert!(missed.contains("near: 1 track \"Order Completed\" differs:"), "{missed}");
    assert!(missed.contains("properties.total is 5, expected more than 9"), "{missed}");
    assert!(matches!(asked.expect(Expectation::new()), Err(ExpectError::Invalid(_))));
    (0..50).for_each(|_| dev.track("Filling", ""));
    let gone = asked.expect(expect(order(1)).after(1)).unwrap_err();
    assert!(gone.to_string().contains("made room") || gone.to_string().contains("make room"), "{gone}");
    for (url, said) in [("http://127.0.0.1:9", "start it with `tracklane dev`"), ("127.0.0.1:8765", "is no URL")] {
        let error = DevServer::new(url).expect(expect(order(1))).unwrap_err();
        assert!(matches!(&error, ExpectError::Server { .. }) && error.to_string().contains(said), "{error}");
    }
    let (closed, token) = (Dev::start(&["--token", "s3cret"]), "s3cret");
    let refused = DevServer::new(&closed.url).expect(expect(order(1))).unwrap_err();
    assert!(refused.to_string().contains("answers 401"), "{refused}");
    let shown = DevServer::new(&closed.url).token(token).expect(expect(order(1))).unwrap_err();
    assert!(matches!(shown, ExpectError::NotMet(_)), "{shown}");
}
