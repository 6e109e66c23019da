//! What a receiver gets.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::plugin::Batching;
use tracklane::testing::RecordingDestination;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Screen, Track};
use tracklane_http::testing::{Request, Server};
use tracklane_webhook::{Explanation, Format, Method, Webhook};

use crate::support::{OTHER, SECRET, SOON, client, ping, verified, webhook};

/// The requests that a webhook makes of these events.
fn requests(server: &Server, webhook: Webhook, events: Vec<Event>) -> Vec<Request> {
    let analytics = client(webhook.build().unwrap());
    let count = events.len() as u64;
    for event in events {
        analytics.send(event).unwrap();
    }
    let report = analytics.close_blocking(SOON);
    assert_eq!(report.delivered, count, "{report:?}");
    server.requests()
}

fn header(explanation: &Explanation, name: &str) -> Option<String> {
    explanation.requests[0].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

#[test]
fn each_call_is_a_request_with_the_event_as_its_data() {
    let time = "2024-02-29T12:00:00.123Z";
    let table: [(Event, &str); 6] = [
        (Track::new("A").user_id("u").message_id("m").timestamp(stamp(time)).into(), "track"),
        (Identify::new().user_id("u").message_id("m").timestamp(stamp(time)).into(), "identify"),
        (Page::new("A").user_id("u").message_id("m").timestamp(stamp(time)).into(), "page"),
        (Screen::new("A").user_id("u").message_id("m").timestamp(stamp(time)).into(), "screen"),
        (Group::new("g").user_id("u").message_id("m").timestamp(stamp(time)).into(), "group"),
        (Alias::new("p", "u").message_id("m").timestamp(stamp(time)).into(), "alias"),
    ];
    for (event, kind) in table {
        let server = Server::start([]).unwrap();
        let requests = requests(&server, webhook(&server), vec![event]);
        let [request] = &*requests else { panic!("{kind}: {} requests", requests.len()) };
        assert_eq!((request.method.as_str(), &*request.path), ("POST", "/hook"), "{kind}");
        assert_eq!(request.header("content-type"), "application/json", "{kind}");
        assert_eq!(verified(request, &[SECRET]).unwrap().id, "m", "{kind}");
        let body = request.json().unwrap();
        assert_eq!((&body["type"], &body["timestamp"]), (&json!(kind), &json!(time)), "{body}");
        assert_eq!((&body["data"]["type"], &body["data"]["messageId"]), (&json!(kind), &json!("m")), "{body}");
        assert_eq!(body["data"]["timestamp"], time, "{body}");
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        assert!(request.headers.get("idempotency-key").is_none() && request.headers.get("x-signature").is_none());
    }
}

fn stamp(text: &str) -> tracklane::event::Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_data_is_the_events_json_byte_by_byte() {
    let server = Server::start([]).unwrap();
    let seen = RecordingDestination::new("seen");
    let analytics =
        Analytics::builder().plugin(webhook(&server).build().unwrap()).plugin(seen.destination()).build().unwrap();
    let event =
        Track::new("A \u{e4}\"\u{1}").user_id("u").property("z", u64::MAX).property("a", [0.1 + 0.2, 1e300, -0.0]);
    analytics.track(event).unwrap();
    analytics.close_blocking(SOON);
    let batches = seen.batches();
    let json = std::str::from_utf8(batches[0].messages().next().unwrap().json()).unwrap();
    let text = server.requests()[0].text().unwrap();
    assert!(text.ends_with(&format!(",\"data\":{json}}}")), "{text} has not {json}");
}

#[test]
fn a_batch_is_an_array_or_lines_under_one_id() {
    for (format, content_type) in [(Format::Array, "application/json"), (Format::Ndjson, "application/x-ndjson")] {
        let server = Server::start([]).unwrap();
        let batching = Batching::every(3, Duration::from_secs(60)).max_events(3);
        let events = (0..3).map(|n| Track::new("A").user_id(n).message_id(format!("m{n}")).into()).collect();
        let requests = requests(&server, webhook(&server).batched(batching).format(format), events);
        let [request] = &*requests else { panic!("{format:?}: {} requests", requests.len()) };
        let id = verified(request, &[SECRET]).unwrap().id;
        assert!(id.starts_with("batch_") && id.len() == 38, "{id}");
        assert_eq!(request.header("content-type"), content_type);
        let text = request.text().unwrap();
        let items: Vec<Value> = match format {
            Format::Ndjson => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            _ => serde_json::from_str(&text).unwrap(),
        };
        let ids: Vec<&Value> = items.iter().map(|item| &item["data"]["messageId"]).collect();
        assert_eq!(ids, ["m0", "m1", "m2"], "{text}");
    }
}

#[test]
fn options_shape_the_request() {
    let server = Server::start([]).unwrap();
    let webhook = Webhook::new(server.url("/hook?a=b").replace("//", "//user:pass@"))
        .secret(SECRET)
        .secret(OTHER)
        .segment_signature("shared")
        .method(Method::Patch)
        .header("X-Tenant", "acme")
        .idempotency_key(true)
        .gzip(true)
        .map_event(|event, item| *item = json!({ "name": event.name(), "was": item["type"] }));
    let requests = requests(&server, webhook, vec![ping().message_id("m1").into()]);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), &*request.path), ("PATCH", "/hook?a=b"));
    assert_eq!(request.header("authorization"), "Basic dXNlcjpwYXNz");
    assert_eq!((request.header("x-tenant"), request.header("idempotency-key")), ("acme", "m1"));
    assert_eq!(request.header("content-encoding"), "gzip");
    assert_eq!(request.json().unwrap(), json!({ "name": "Ping", "was": "track" }));
    // Each secret by itself is enough while they are changed; the signature is over what was sent, compressed.
    for secret in [SECRET, OTHER] {
        assert_eq!(verified(request, &[secret]).unwrap().id, "m1", "{secret}");
    }
    assert_eq!(request.header("x-signature").len(), 40);
}

#[test]
fn the_signature_of_segment_is_that_of_the_whole_body() {
    let webhook = Webhook::new("https://hooks.example").segment_signature("Jefe");
    let explanation = webhook.map_event(|_, item| *item = json!(1)).explain(ping(), UNIX_EPOCH).unwrap();
    assert_eq!(explanation.requests[0].body, "1");
    // Computed with another implementation: HMAC-SHA1("Jefe", "1").
    assert_eq!(header(&explanation, "x-signature").unwrap(), "3ddf900e8b88f095e260c1594b797f798dddb35d");
    assert_eq!(header(&explanation, "webhook-signature"), None);
}

#[test]
fn an_id_that_no_header_or_signature_can_have_is_hashed() {
    let long = "x".repeat(257);
    for id in ["a.b", "a b", "ä", "a\u{7f}", &long] {
        let webhook = Webhook::new("https://hooks.example").secret(SECRET);
        let id_of = |id: &str| {
            let explanation = webhook.explain(ping().message_id(id), UNIX_EPOCH).unwrap();
            header(&explanation, "webhook-id").unwrap()
        };
        let made = id_of(id);
        assert!(made.starts_with("msg_") && made.len() == 36 && !made.contains('.'), "{id:?}: {made}");
        assert_eq!(made, id_of(id), "another id for the same event");
        assert_ne!(made, id_of("c.d"), "the same id for another event");
    }
}

#[test]
fn explain_shows_the_request_and_why_it_is_not_sent() {
    let webhook = Webhook::new("https://u:hunter2@hooks.example/hunter2")
        .secret(SECRET)
        .header("X-Key", "hunter2")
        .max_body_bytes(300);
    let at = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let explanation = webhook.explain(ping().message_id("m1"), at).unwrap();
    let shown = explanation.to_string();
    assert!(shown.starts_with("POST https://hooks.example/…\n"), "{shown}");
    assert!(shown.contains("\nwebhook-timestamp: 1767225600\n") && shown.contains("\nx-key: …\n"), "{shown}");
    assert!(shown.contains("\n\n{\"type\":\"track\",\"data\":{") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(explanation.why_not, None);
    let filling = "x".repeat(300);
    let table = [
        (ping().property("filling", filling), "max_body_bytes is 300"),
        (ping().integration("Webhook", false), "its integrations switch \"Webhook\" off"),
        (ping().integration("All", false), "do not name \"Webhook\""),
    ];
    for (event, reason) in table {
        let explanation = webhook.explain(event, at).unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
        assert!(explanation.to_string().starts_with("not sent: "), "{explanation}");
    }
    let named = ping().integration("All", false).integration("Webhook", true);
    assert_eq!(webhook.explain(named, at).unwrap().why_not, None);
}

#[test]
fn a_hook_that_panics_costs_only_its_event() {
    let server = Server::start([]).unwrap();
    let webhook = webhook(&server).map_event(|event, _| assert_ne!(event.message_id(), "m1", "as the test wants it"));
    let analytics = client(webhook.build().unwrap());
    (0..3).for_each(|number| analytics.track(ping().message_id(format!("m{number}"))).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 2);
    let ids: BTreeSet<_> = server.requests().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().eq(["m0", "m2"]), "{ids:?}");
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start([]).unwrap();
    assert_eq!(requests(&server, webhook(&server).dry_run(true), vec![ping().into()]).len(), 0);
}

proptest! {
    #[test]
    fn no_event_makes_the_mapping_panic_or_write_what_is_no_json(
        name in "\\PC{0,20}",
        key in "\\PC{0,20}",
        value in "\\PC{0,20}",
        number in any::<f64>(),
    ) {
        let webhook = Webhook::new("https://hooks.example").secret(SECRET);
        let event = Track::new(&name).property(&key, &value).property("number", number);
        if let Ok(explanation) = webhook.explain(event, UNIX_EPOCH) {
            let body = &explanation.requests[0].body;
            prop_assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
        }
    }
}
