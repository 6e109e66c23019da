//! What is taken, and what is answered.

use std::time::Duration;

use http::StatusCode;
use tracklane_ingest::{Answer, Limits, Rejection};

use crate::support::{Running, body, status};

const EVENT: &str = r#"{"type":"track","event":"E","userId":"u","messageId":"m"}"#;

#[test]
fn every_path_takes_its_events_as_they_were_sent() {
    let server = Running::as_segment();
    for path in ["/v1/batch", "/v1/import", "/v1/b"] {
        let answer = server.post(path, &format!(r#"{{"batch":[{EVENT}, {EVENT} ]}}"#));
        assert_eq!((status(&answer), body(&answer)), (200, r#"{"success":true}"#), "{path}");
        let raw: Vec<_> = server.last().events.iter().map(|event| event.raw.clone()).collect();
        assert_eq!(raw, [EVENT, EVENT], "{path}");
    }
    let calls = ["track t", "identify i", "page p", "screen s", "group g", "alias a"];
    for (call, path) in calls.iter().flat_map(|call| call.split(' ').map(|path| (&call[..call.len() - 2], path))) {
        let sent = r#"{"event":"E","userId":"u","groupId":"g","previousId":"p"}"#;
        assert_eq!(status(&server.post(&format!("/v1/{path}"), sent)), 200, "{path}");
        let request = server.last();
        assert_eq!((&request.events[0].raw[..], request.events.len()), (sent.as_bytes(), 1), "{path}");
        assert_eq!(request.events[0].kind.unwrap().as_str(), call);
        assert_eq!(request.events[0].findings, [], "{path}");
    }
    assert_eq!(status(&server.post("/v1/m", r#"{"series":[]}"#)), 200);
    assert!(server.last().events.is_empty(), "metrics are no events");
}

#[test]
fn the_key_is_found_wherever_it_stands() {
    let server = Running::as_segment();
    let bodies = [
        format!(r#"{{"writeKey":"K","batch":[{EVENT}]}}"#),
        format!(r#"{{"batch":[{EVENT}],"sentAt":"now","writeKey":"K"}}"#),
        r#"{"batch":[{"type":"page","userId":"u","writeKey":"K"}]}"#.to_owned(),
        r#"{"batch":[{"type":"page","userId":"u"}],"write\u004bey":"\u004b"}"#.to_owned(),
    ];
    for sent in &bodies {
        server.post("/v1/batch", sent);
        assert_eq!(server.last().key.as_deref(), Some("K"), "{sent}");
    }
    // "K:", "K" without the colon, and "K:" without padding.
    for basic in ["Basic Szo=", "basic Szo", "Basic  Sw=="] {
        let header = format!("authorization: {basic}\r\n");
        server.send("POST /v1/batch", &header, format!(r#"{{"batch":[{EVENT}]}}"#).as_bytes());
        assert_eq!(server.last().key.as_deref(), Some("K"), "{basic}");
    }
    for nobody in ["Basic Og==", "Basic !!", "Bearer Szo=", "Basic"] {
        let header = format!("authorization: {nobody}\r\n");
        server.send("POST /v1/batch", &header, br#"{"batch":[],"writeKey":7}"#);
        assert_eq!(server.last().key, None, "{nobody}");
    }
}

#[test]
fn what_segment_refuses_is_refused_and_says_why() {
    let server = Running::as_segment();
    let large = format!(r#"{{"batch":[{EVENT},{{"type":"page","userId":"{}"}}]}}"#, "x".repeat(32_768));
    let huge = format!(r#"{{"batch":[{EVENT}],"more":"{}"}}"#, "x".repeat(500_000));
    let table = [
        ("{", 400, "invalid_request"),
        ("[]", 400, "invalid_request"),
        ("", 400, "invalid_request"),
        ("{\"batch\":[7]}", 400, "invalid_request"),
        (&large, 400, "too_large"),
        (&huge, 400, "too_large"),
    ];
    for (sent, expected, code) in table {
        let answer = server.post("/v1/batch", sent);
        assert_eq!(status(&answer), expected, "{answer}");
        let json: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!((&json["success"], &json["code"]), (&false.into(), &code.into()), "{answer}");
        assert!(json["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    }
    let answer = server.post("/v1/batch", &large);
    assert!(body(&answer).contains(r#""rejected":[{"index":1,"rule":"event-too-large""#), "{answer}");
    assert_eq!(status(&server.post("/v1/nothing", "{}")), 404);
    assert_eq!(status(&server.send("PUT /v1/batch", "", b"{}")), 405);
    assert_eq!(status(&server.send("GET /v1/track", "", b"")), 405);
}

#[test]
fn what_segment_discards_is_accepted_or_refused_as_one_chooses() {
    let sent = format!(r#"{{"batch":[{EVENT},{{"type":"track","event":"E"}}]}}"#);
    let server = Running::as_segment();
    assert_eq!(body(&server.post("/v1/batch", &sent)), r#"{"success":true}"#);
    assert_eq!(server.last().events[1].findings[0].rule, "user-id-missing");
    let strict = Running::start(Limits::default(), |request| request.strictly());
    let answer = strict.post("/v1/batch", &sent);
    assert_eq!(status(&answer), 400);
    assert!(body(&answer).contains(r#""rejected":[{"index":1,"rule":"user-id-missing""#), "{answer}");
    let smelly = r#"{"event":"E","userId":"u","properties":{"total":"7"}}"#;
    assert_eq!(status(&strict.post("/v1/track", smelly)), 200, "a smell is no reason to refuse");
    assert_eq!(strict.last().events[0].findings[0].rule, "number-as-text");
}

#[test]
fn events_can_be_taken_in_part() {
    let server = Running::start(Limits::default(), |_| {
        Answer::accepted_without(vec![Rejection { index: 1, rule: "quota", message: "too many".into() }])
    });
    let answer = server.post("/v1/batch", &format!(r#"{{"batch":[{EVENT},{EVENT}]}}"#));
    assert_eq!(status(&answer), 200);
    let expected = r#"{"success":true,"rejected":[{"index":1,"rule":"quota","message":"too many"}]}"#;
    assert_eq!(body(&answer), expected);
}

#[test]
fn a_client_that_is_to_come_again_is_told_when_in_whole_seconds() {
    let server = Running::start(Limits::default(), |_| Answer::come_again(Duration::from_millis(1_200), "full"));
    let answer = server.post("/v1/batch", "{}");
    assert_eq!(status(&answer), 429);
    assert!(answer.contains("retry-after: 2\r\n"), "{answer}");
    let server = Running::start(Limits::default(), |_| {
        Answer::error(StatusCode::SERVICE_UNAVAILABLE, "draining", "another one")
            .retry_after(Duration::from_secs(9_000))
    });
    let answer = server.post("/v1/batch", "{}");
    assert!(status(&answer) == 503 && answer.contains("retry-after: 300\r\n"), "{answer}");
}

#[test]
fn what_stands_around_a_batch_is_handed_on() {
    let server = Running::as_segment();
    let sent = format!(r#"{{"context":{{"app":1}},"integrations":{{"All":true}},"batch":[{EVENT}]}}"#);
    server.send("POST /v1/batch", "x-retry-count: 3\r\n", sent.as_bytes());
    let request = server.last();
    assert_eq!(request.context.as_deref(), Some(&br#"{"app":1}"#[..]));
    assert_eq!(request.integrations.as_deref(), Some(&br#"{"All":true}"#[..]));
    assert_eq!((request.head.retry_count, request.head.wire_bytes), (3, sent.len()));
}

#[test]
fn smells_are_left_out_where_that_is_asked_for_and_who_connected_is_known() {
    let body = r#"{"userId":"u","event":"E","sentAt":"2026-01-01T00:00:00Z","properties":{"total":"7"}}"#;
    let rules = |server: &Running| -> Vec<&str> {
        assert_eq!(status(&server.post("/v1/track", body)), 200);
        server.last().events[0].findings.iter().map(|finding| finding.rule).collect()
    };
    let all = Running::as_segment();
    assert_eq!(rules(&all), ["number-as-text"]);
    assert_eq!(all.last().sent_at.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert!(all.last().head.peer.expect("the peer").ip().is_loopback());
    let without = Running::with(Limits::default(), |request| request.as_segment(), |ingest| ingest.without_smells());
    assert_eq!(rules(&without), Vec::<&str>::new());
}

#[test]
fn without_rules_only_what_is_no_object_or_too_large_is_found_and_the_key_still_is() {
    let server = Running::with(Limits::default(), |request| request.as_segment(), |ingest| ingest.without_rules());
    let large = format!(r#"{{"type":"track","event":"E","userId":"u","properties":{{"a":"{}"}}}}"#, "x".repeat(32_768));
    let no_user = r#"{"type":"track","event":"E","timestamp":"yesterday"}"#;
    let batch = format!(r#"{{"batch":[{EVENT},{no_user},[1],{large},{{"writeKey":"OF-AN-EVENT"}}]}}"#);
    server.post("/v1/batch", &batch);
    let request = server.last();
    let found = |event: &tracklane_ingest::Event| -> Vec<(&str, String)> {
        event.findings.iter().map(|finding| (finding.rule, finding.message.clone())).collect()
    };
    let found: Vec<Vec<(&str, String)>> = request.events.iter().map(found).collect();
    let too_large = format!("the event has {} bytes of JSON, at most 32768 are allowed", large.len());
    let malformed = vec![("malformed-json", "event 3 is not an object".to_owned())];
    assert_eq!(found, [vec![], vec![], malformed, vec![("event-too-large", too_large)], vec![]]);
    assert_eq!(request.key.as_deref(), Some("OF-AN-EVENT"));
    assert!(request.events.iter().all(|event| event.kind.is_none()), "no event is looked into");
    server.post("/v1/track", no_user);
    let single = server.last();
    assert_eq!((single.events[0].findings.len(), single.events[0].kind), (0, Some(tracklane::Kind::Track)));
}
