//! Answers to events that are collected from several requests, and the requests in turn.

use std::time::Duration;

use http::HeaderMap;
use serde_json::json;
use tracklane::plugin::{Answer, Batch, Batching, Destination, RetryPolicy, Verdict};
use tracklane::{Analytics, DropReason, Outcome, Track};
use tracklane_http::testing::{Reply, Server};
use tracklane_http::{
    Answers, Client, Endpoint, EventJson, Explanation, Items, Limits, Mapped, Payload, Secret, ShownRequest, at,
    map_batch, millis, number, send_in_turn, switched_off,
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn of_several_answers_to_one_event_the_one_that_asks_for_the_most_counts() {
    let order = [
        Verdict::Skip,
        Verdict::Delivered,
        Verdict::Reject,
        Verdict::Unauthorized,
        Verdict::SplitIfProven,
        Verdict::Split,
        Verdict::Retry,
        Verdict::Pause(Duration::from_secs(1)),
    ];
    for (at, less) in order.iter().enumerate() {
        for more in &order[at..] {
            for pair in [[less, more], [more, less]] {
                let mut answers = Answers::new(1);
                pair.into_iter().for_each(|verdict| answers.add([0], &Answer::new(*verdict)));
                assert_eq!(answers.finish().verdict_of(0), *more, "{pair:?}");
            }
        }
    }
    assert_eq!(Answers::new(2).finish().verdict(), Verdict::Delivered, "nothing is said of them");
}

#[test]
fn answers_to_items_are_those_of_their_events() {
    let mut answers = Answers::new(4);
    let refused = Answer::new(Verdict::Reject).with_error("bad");
    answers.add_each([3, 1, 1], &Answer::each(Verdict::Retry, [(1, refused), (2, Verdict::Delivered.into())]));
    let answer = answers.finish();
    let verdicts = [0, 1, 2, 3].map(|event| answer.verdict_of(event));
    assert_eq!(verdicts, [Verdict::Delivered, Verdict::Reject, Verdict::Delivered, Verdict::Retry]);
    assert_eq!(answer.event(1).and_then(Answer::error).map(ToString::to_string).as_deref(), Some("bad"));
}

/// A destination that sends each event as a request of its own, and skips those called `skip`.
fn one_by_one(server: &Server) -> Destination {
    let client = Client::new(Endpoint::new("url", &server.url("/"), false).unwrap(), None).unwrap();
    Destination::from_fn("Vendor", move |batch: Batch| {
        let client = client.clone();
        async move {
            let mut answers = Answers::new(batch.len());
            let mut items = Items::default();
            map_batch(&batch, &mut answers, |event, json, _, _| {
                let mapped = match json.text("event") {
                    Some("skip") => Mapped::Skip("it is called so".to_owned()),
                    Some("refuse") => Mapped::Reject("it is called so".to_owned()),
                    name => Mapped::one(json!({ "name": name })),
                };
                mapped.map(|item| items.push(event, &item.into()))
            });
            let requests = items.requests(&batch, &client, Limits::new(1, 60), &mut answers, Payload::ndjson);
            send_in_turn(&batch, requests, &mut answers, |_, received| {
                received.answer("vendor", [], batch.timer().now())
            })
            .await;
            Ok::<_, tracklane::BoxError>(answers.finish())
        }
    })
    .batching(Batching::every(5, Duration::from_secs(3600)))
    .retry(RetryPolicy::new().max_retries(2).backoff(Duration::ZERO, Duration::ZERO))
}

#[test]
fn requests_are_sent_in_turn_until_one_fails_and_what_was_taken_is_not_sent_again() {
    let server = Server::start([Reply::new(200), Reply::new(503)]).unwrap();
    let analytics = Analytics::builder().plugin(one_by_one(&server)).build().unwrap();
    let names = ["a", "skip", "b", "refuse", "c"];
    let receipts: Vec<_> = names
        .iter()
        .map(|name| analytics.send_with_receipt(Track::new(*name).user_id("u").message_id(*name)).unwrap())
        .collect();
    let ends: Vec<_> = receipts.into_iter().map(|receipt| receipt.wait().destinations.remove(0)).collect();
    let outcomes: Vec<_> = ends.iter().map(|end| end.outcome).collect();
    let [skipped, rejected] = [DropReason::Skipped, DropReason::Rejected].map(Outcome::Dropped);
    assert_eq!(outcomes, [Outcome::Delivered, skipped, Outcome::Delivered, rejected, Outcome::Delivered]);
    assert_eq!(format!("{:#}", ends[3].error.as_ref().unwrap()), "event refuse: it is called so");
    let sent: Vec<String> =
        server.requests().iter().map(|request| request.json().unwrap()["name"].to_string()).collect();
    assert_eq!(sent, ["\"a\"", "\"b\"", "\"b\"", "\"c\""], "c waits for b");
    // What is larger than any body may be is refused here.
    let long = analytics.send_with_receipt(Track::new("x".repeat(100)).user_id("u")).unwrap();
    analytics.flush_blocking(SOON);
    let told = format!("{:#}", long.wait().destinations.remove(0).error.unwrap());
    assert!(told.contains("larger than a whole request"), "{told}");
}

#[test]
fn an_event_is_read_by_paths() {
    let json = json!({
        "type": "page", "name": "", "userId": "", "anonymousId": "a",
        "properties": {"name": "Inner"},
        "context": {"os": {"name": "iOS", "version": null}, "groupId": 7},
        "integrations": {"A": true, "B": {"x": 1}, "C": null},
    });
    let json = serde_json::to_vec(&json).unwrap();
    let event = EventJson::parse(&json).unwrap();
    assert_eq!((event.kind(), event.user_id(), event.anonymous_id()), ("page", None, Some("a")));
    assert_eq!((event.uuid(), event.timestamp(), event.message_id()), (None, None, ""));
    assert_eq!((event.view_name(), &*event.viewed()), (Some("Inner"), "Viewed Inner Page"));
    assert_eq!((event.context_text(&["os", "name"]), event.context_at(&["os", "version"])), (Some("iOS"), None));
    assert_eq!((event.context_text(&["groupId"]), event.context_at(&["os", "name", "x"])), (None, None));
    assert_eq!(event.options(&["A", "C", "B"]).unwrap().get("x"), Some(&1_u64.into()), "true is no options");
    assert_eq!((event.options(&["A"]), event.traits().len(), at(event.traits(), &[])), (None, 0, None));
    assert!(EventJson::parse(b"[]").is_err());
}

#[test]
fn numbers_and_dates_come_in_every_spelling() {
    let table = [
        (json!(1.5), Some(1.5)),
        (json!(" 39.95 "), Some(39.95)),
        (json!("NaN"), None),
        (json!("much"), None),
        (json!(true), None),
    ];
    for (value, expected) in table {
        assert_eq!(number(&value.clone().into()), expected, "{value}");
    }
    let table = [
        (json!("2024-02-29T01:00:00+01:00"), Some(1_709_164_800_000)),
        (json!(1_709_164_800.5), Some(1_709_164_800_500)),
        (json!(1_709_164_800_123_i64), Some(1_709_164_800_123)),
        (json!(0), Some(0)),
        (json!(1e300), None),
        (json!("2024-02-30"), None),
        (json!(null), None),
    ];
    for (value, expected) in table {
        assert_eq!(millis(&value.clone().into()), expected, "{value}");
    }
}

#[test]
fn a_request_is_shown_without_secrets_and_a_query_can_be_added() {
    let secret = Secret::from("hunter2");
    let endpoint = Endpoint::new("url", "https://vendor.example/x?a=b", false).unwrap();
    let more = endpoint.with_query("token", "c d&e").unwrap();
    assert_eq!(more.uri().to_string(), "https://vendor.example/x?a=b&token=c+d%26e");
    let client = Client::offline(endpoint).unwrap().at(more);
    let request = ShownRequest::new(&client, &Payload::json(&json!({"key": "hunter2"})).unwrap(), [&secret]);
    assert_eq!(client.request(Payload::ndjson(&["1"]), HeaderMap::new()).uri().query(), Some("a=b&token=c+d%26e"));
    let shown = Explanation::of(vec![request.clone(), request]).to_string();
    assert!(shown.starts_with("POST https://vendor.example/…\n") && shown.contains("{\"key\":\"…\"}"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(Explanation::not_sent("why").to_string().starts_with("not sent: why"));
}

#[test]
fn a_request_is_shown_with_its_statement_and_what_is_to_know_of_it() {
    let client = Client::offline(Endpoint::at_host("host", "https://vendor.example", "/x", false).unwrap()).unwrap();
    let mut request = ShownRequest::new(&client, &Payload::ndjson(&["1"]), []);
    request.statement = Some("INSERT INTO t".to_owned());
    let mut explanation = Explanation::of(vec![request]);
    explanation.notes = vec!["one is left out".to_owned(), "another is cut".to_owned()];
    let shown = explanation.to_string();
    assert!(
        shown.starts_with("note: one is left out\nnote: another is cut\n\nPOST https://vendor.example/x\n"),
        "{shown}"
    );
    assert!(shown.ends_with("\n\nINSERT INTO t\n1\n"), "{shown}");
}

#[test]
fn integrations_are_read_by_the_first_name_that_they_have() {
    let off = |event: Track| switched_off(&event.user_id("u").into(), &["A", "B"]);
    assert_eq!(off(Track::new("x")), None);
    assert!(off(Track::new("x").integration("B", false)).unwrap().contains("\"B\""));
    assert_eq!(off(Track::new("x").integration("A", json!({})).integration("B", false)), None, "the first decides");
    assert!(off(Track::new("x").integration("All", false)).unwrap().contains("do not name \"A\""));
    assert_eq!(off(Track::new("x").integration("All", false).integration("B", true)), None);
}
