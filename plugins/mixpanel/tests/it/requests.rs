//! What Mixpanel gets, and what follows from its answers.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, DropReason, Group, Identify, Outcome};
use tracklane_http::testing::{Reply, Request, Server};
use tracklane_mixpanel::ServiceAccount;

use crate::support::{KEY, SOON, at, client, track};

const HOUR: Duration = Duration::from_secs(3600);

fn ids(request: &Request) -> Vec<Value> {
    let body = request.json().unwrap();
    body.as_array().unwrap().iter().map(|item| item["properties"]["$insert_id"].clone()).collect()
}

/// The requests to that path.
fn to<'r>(requests: &'r [Request], path: &str) -> Vec<&'r Request> {
    requests.iter().filter(|request| request.path.starts_with(path)).collect()
}

#[test]
fn events_are_imported_strictly_with_the_token_as_their_user() {
    let server =
        Server::start([Reply::new(200).body(r#"{"code":200,"num_records_imported":2,"status":"OK"}"#)]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(2, HOUR)));
    (0..2).for_each(|n| analytics.track(track().message_id(format!("m{n}"))).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 2);
    let [request] = <[Request; 1]>::try_from(server.requests()).unwrap();
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/import?strict=1"));
    // The token and no password.
    assert_eq!(request.header("authorization"), "Basic aHVudGVyMnRva2VuOg==");
    assert_eq!((request.header("content-encoding"), request.header("content-type")), ("gzip", "application/json"));
    assert_eq!(ids(&request), ["m0", "m1"]);
}

#[test]
fn a_service_account_names_its_project() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).service_account(ServiceAccount::new("sa", "hunter2", 42)).build().unwrap());
    analytics.track(track()).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    let request = &server.requests()[0];
    assert_eq!(
        (&*request.path, request.header("authorization")),
        ("/import?strict=1&project_id=42", "Basic c2E6aHVudGVyMg==")
    );
}

#[test]
fn profiles_go_plain_to_their_endpoints_with_the_token_in_them() {
    let server = Server::start([]).unwrap();
    server.otherwise(Reply::new(200).body(r#"{"status":1,"error":null}"#));
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(3, HOUR)));
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "Pro")).unwrap();
    analytics.group(Group::new("g1").user_id("u1")).unwrap();
    analytics.track(track()).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 3);
    let requests = server.requests();
    let [users] = *to(&requests, "/engage?verbose=1&strict=1") else { panic!("{requests:?}") };
    let [groups] = *to(&requests, "/groups?verbose=1&strict=1") else { panic!("{requests:?}") };
    assert_eq!((requests.len(), users.json().unwrap().as_array().unwrap().len()), (3, 2));
    for request in [users, groups] {
        assert_eq!((request.header("content-encoding"), request.headers.get("authorization")), ("", None));
        assert!(request.json().unwrap().as_array().unwrap().iter().all(|item| item["$token"] == KEY));
    }
}

#[test]
fn records_that_mixpanel_refuses_are_refused_in_its_words_and_the_others_are_delivered() {
    // Both spellings of the id occur, so the index counts.
    let body = json!({
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": [
            {"index": 1, "$insert_id": "m1", "field": "properties.time", "message": "must be later than 1971"},
            {"index": 3, "insert_id": "m3", "field": "properties.$insert_id", "message": "hunter2token is no id"},
        ],
        "num_records_imported": 2,
        "status": "Bad Request",
    });
    let server = Server::start([Reply::new(400).body(body.to_string())]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(4, HOUR)));
    let receipts: Vec<_> =
        (0..4).map(|n| analytics.send_with_receipt(track().message_id(format!("m{n}"))).unwrap()).collect();
    let ends: Vec<_> = receipts.into_iter().map(|receipt| receipt.wait().destinations.remove(0)).collect();
    let rejected = Outcome::Dropped(DropReason::Rejected);
    let outcomes: Vec<_> = ends.iter().map(|end| end.outcome).collect();
    assert_eq!(outcomes, [Outcome::Delivered, rejected, Outcome::Delivered, rejected]);
    let errors: Vec<_> = ends.iter().filter_map(|end| Some(format!("{:#}", end.error.as_ref()?))).collect();
    assert!(
        errors[0].ends_with("event m1: Mixpanel refuses it: properties.time: must be later than 1971"),
        "{errors:?}"
    );
    assert!(errors[1].contains("event m3") && !errors[1].contains("hunter2"), "{errors:?}");
    assert_eq!(server.requests().len(), 1, "what was stored is not sent again");
}

#[test]
fn a_long_list_of_refused_records_is_read_whole() {
    let records: Vec<Value> = (0..999)
        .map(|index| json!({"index": index, "$insert_id": format!("m{index}"), "field": "properties.time", "message": "x".repeat(150)}))
        .collect();
    let body = json!({"code": 400, "failed_records": records}).to_string();
    assert!(body.len() > 2 * 64 * 1024);
    let server = Server::start([Reply::new(400).body(body)]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(1_000, HOUR)));
    (0..1_000).for_each(|n| analytics.track(track().message_id(format!("m{n}"))).unwrap());
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.failed, server.requests().len()), (1, 999, 1));
}

#[test]
fn a_profile_that_is_refused_with_200_is_no_success() {
    let server = Server::start([]).unwrap();
    server.otherwise(Reply::new(200).body(r#"{"status":0,"error":"token, missing or empty"}"#));
    let analytics = client(at(&server).build().unwrap());
    let receipt = analytics.send_with_receipt(Identify::new().user_id("u1").with_trait("plan", "Pro")).unwrap();
    let end = receipt.wait().destinations.remove(0);
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::Rejected));
    let told = format!("{:#}", end.error.unwrap());
    assert!(told.contains("token, missing or empty"), "{told}");
}

#[test]
fn a_second_attempt_has_the_same_ids_and_times() {
    let second = Duration::from_secs(1);
    for (what, first, wait) in [
        ("503", Reply::new(503), second),
        ("429", Reply::new(429), second),
        ("429 with a time", Reply::new(429).header("retry-after", "3"), 3 * second),
        ("a reset", Reply::reset(), second),
    ] {
        let server = Server::start([first]).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().max_retries(5).schedule(|_| Duration::from_secs(1));
        let destination = at(&server).build().unwrap().batching(Batching::every(2, HOUR)).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        (0..2).for_each(|n| analytics.track(track().message_id(format!("a:{n}"))).unwrap());
        assert_eq!(server.wait_for_requests(1, SOON).len(), 1, "{what}");
        assert!(clock.wait_for_sleeper(wait..=wait), "{what}: {:?}", clock.next_wake());
        clock.advance(wait);
        let [one, two] = <[Request; 2]>::try_from(server.wait_for_requests(2, SOON)).unwrap();
        assert_eq!(one.json().unwrap(), two.json().unwrap(), "{what}: Mixpanel de-duplicates by id and time");
        assert_eq!(analytics.close_blocking(SOON).delivered, 2, "{what}");
    }
}

#[test]
fn an_event_whose_second_half_fails_comes_again_alone() {
    // Profiles are taken, groups fail: the group call comes again, the identify call does not.
    let server = Server::start([Reply::new(200), Reply::new(502)]).unwrap();
    let analytics = client(at(&server).build().unwrap().batching(Batching::every(2, HOUR)));
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "Pro")).unwrap();
    analytics.group(Group::new("g1").user_id("u2")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 2);
    let requests = server.requests();
    let users: Vec<usize> =
        to(&requests, "/engage").iter().map(|request| request.json().unwrap().as_array().unwrap().len()).collect();
    assert_eq!((users, to(&requests, "/groups").len()), (vec![2, 1], 2));
}

#[test]
fn statuses_mean_what_mixpanel_says() {
    for (status, reason) in [(401, DropReason::Unauthorized), (413, DropReason::TooLarge), (400, DropReason::Rejected)]
    {
        let server = Server::start([]).unwrap();
        server.otherwise(Reply::new(status).body(r#"{"code":0,"error":"as hunter2token says","status":"Error"}"#));
        let analytics = client(at(&server).build().unwrap());
        let end = analytics.send_with_receipt(track()).unwrap().wait().destinations.remove(0);
        assert_eq!(end.outcome, Outcome::Dropped(reason), "{status}");
        let told = format!("{:#}", end.error.unwrap());
        assert!(told.contains("as … says") && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).dry_run(true).build().unwrap());
    analytics.track(track()).unwrap();
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    assert_eq!(server.requests().len(), 0);
}

/// Mixpanel's documentation of `/import`: 2,000 events and 10 MB (2 MiB in an older error) in a request.
#[test]
fn no_request_has_more_than_mixpanel_takes() {
    let server = Server::start([]).unwrap();
    let batching = Batching::every(2_001, HOUR).max_events(2_001).max_bytes(usize::MAX);
    let analytics = client(at(&server).build().unwrap().batching(batching));
    (0..2_001).for_each(|n| analytics.track(track().message_id(format!("m{n}"))).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 2_001);
    let counts: Vec<usize> = server.requests().iter().map(|request| ids(request).len()).collect();
    assert_eq!(counts, [2_000, 1]);
    let server = Server::start([]).unwrap();
    let batching = Batching::every(80, HOUR).max_events(80).max_bytes(usize::MAX);
    let analytics = client(at(&server).gzip(false).build().unwrap().batching(batching));
    let long = "x".repeat(30_000);
    (0..80).for_each(|n| analytics.track(track().message_id(format!("m{n}")).property("long", &*long)).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 80);
    let sizes: Vec<usize> = server.requests().iter().map(|request| request.body.len()).collect();
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= 1_500_000), "{sizes:?}");
}
