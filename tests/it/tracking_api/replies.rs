//! The answers, and their sources: the rules of Segment, a script, a default or a function.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tracklane::testing::Reply;

use super::{Client, batch, start};

#[test]
fn refusals_follow_the_rules_of_segment() {
    let api = start();
    let mut client = Client::connect(&api);
    let event_of = |size: usize| format!(r#"{{"e":"{}"}}"#, "x".repeat(size - 8));
    let batch_of = |size: usize| {
        let event = event_of(32_768);
        let mut body = format!(r#"{{"batch":[{event}"#);
        while body.len() + event.len() + 3 < size {
            body = format!("{body},{event}");
        }
        let padding = " ".repeat(size - body.len() - 2);
        format!("{body}{padding}]}}")
    };
    let big_event = format!(r#"{{"batch":[{{}},{}]}}"#, event_of(32_769));
    for (method, path, body, status) in [
        ("POST", "/v1/import", "{}", 200),
        ("POST", "/v1/b", "{}", 200),
        ("POST", "/v1/identify", "{}", 200),
        ("POST", "/v1/batch", "{", 400),
        ("POST", "/v1/batch", "", 400),
        ("POST", "/v1/batch", "[]", 400),
        ("POST", "/v1/track", &event_of(32_768), 200),
        ("POST", "/v1/track", &event_of(32_769), 400),
        ("POST", "/v1/batch", &big_event, 400),
        ("POST", "/v1/batch", &batch_of(500_000), 200),
        ("POST", "/v1/batch", &batch_of(500_001), 400),
        ("POST", "/v2/batch", "{}", 404),
        ("POST", "/", "{}", 404),
        ("GET", "/v1/batch", "", 405),
        ("PUT", "/v1/track", "{}", 405),
    ] {
        let answer = client.request(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {}", body.len());
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(json["success"], status == 200);
        assert_eq!(answer.head.contains("allow: POST"), status == 405);
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_body_is_judged_and_read_as_what_was_compressed() {
    let api = start();
    let mut client = Client::connect(&api);
    let mut post = |coding: &str, body: &[u8]| {
        let length = body.len();
        client
            .send(format!("POST /v1/batch HTTP/1.1\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\n\r\n"));
        client.send(body);
        client.receive()
    };
    let events = batch(&["a", "b"]);
    assert_eq!(post("gzip", &gzip(&events)).status, 200);
    assert_eq!(post("GZip", &gzip("{}")).status, 200);
    assert_eq!(post("identity", b"{}").status, 200);
    // Small when compressed, and too large after.
    assert_eq!(post("gzip", &gzip(&" ".repeat(500_001))).status, 400);
    assert_eq!(post("gzip", &gzip("{")).status, 400);
    assert_eq!(post("gzip", b"{}").status, 400);
    for unknown in ["br", "zstd", "gzip, gzip"] {
        let refused = post(unknown, b"{}");
        assert_eq!(refused.status, 415, "{unknown}");
        assert!(refused.head.contains("accept-encoding: gzip\r\n"), "{}", refused.head);
    }

    let requests = api.requests();
    assert_eq!(&requests[0].body()[..], gzip(&events), "what was on the wire");
    assert_eq!(requests[0].json(), serde_json::from_str(&events).ok());
    assert_eq!(requests[0].events().len(), 2);
    assert_eq!((requests[5].json(), requests[6].json()), (None, None));
    assert_eq!(api.delivered_ids(), ["a", "b"]);
}

#[test]
fn scripted_replies_come_in_order_and_then_the_default() {
    let api = start();
    api.set_default(Reply::status(418).body("teapot"));
    api.script([Reply::status(500), Reply::status(429).header("Retry-After", "7")]);
    api.script(vec![Reply::ok()]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 500);
    let limited = client.post("{}");
    assert_eq!(limited.status, 429);
    assert!(limited.head.contains("Retry-After: 7\r\n"));
    // A scripted reply does not ask whether the request was any good.
    assert_eq!(client.post("{").status, 200);
    assert_eq!(client.post("{}").body, "teapot");
    api.set_default(Reply::as_segment());
    assert_eq!(client.post("{").status, 400);

    let answered: Vec<_> = api.requests().iter().map(|r| r.answered().unwrap()).collect();
    assert_eq!(answered, [500, 429, 200, 418, 400]);
}

#[test]
fn a_function_can_answer() {
    let api = start();
    api.reply_with(|request| match request.path() {
        "/v1/track" => Reply::status(503),
        _ => Reply::as_segment().header("x-from", "function"),
    });
    api.script([Reply::status(500)]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 500);
    assert_eq!(client.request("POST", "/v1/track", "{}").status, 503);
    let judged = client.post("{");
    assert_eq!(judged.status, 400);
    assert!(judged.head.contains("x-from: function"));
}

#[test]
fn a_panic_in_the_function_costs_only_its_connection() {
    let api = start();
    api.reply_with(|request| match request.path() {
        "/panic" => panic!("on purpose"),
        _ => Reply::ok(),
    });
    let mut client = Client::connect(&api);
    client.send_request("POST", "/panic", "{}");
    // The held-back byte makes it a reset on some systems.
    assert!(client.rest().map_or(true, |rest| rest.is_empty()));
    assert_eq!(Client::connect(&api).post("{}").status, 200);
    assert_eq!(api.max_in_flight(), 1);
}
