//! Bad input: each row of the table gets its own status, costs nobody else anything, and the gateway goes on.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{Response, Running, raw};

const GOOD: &str = r#"{"type":"track","event":"E","userId":"u","messageId":"good"}"#;

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_bad_event_costs_itself_and_is_kept_with_its_reason() {
    let gateway = Running::plain();
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let nested =
        |levels| format!(r#"{{"type":"track","event":"E","userId":"u","properties":{{"p":{}}}}}"#, deep(levels));
    let large = format!(r#"{{"type":"track","event":"E","userId":"u","properties":{{"p":"{}"}}}}"#, "x".repeat(33_000));
    let bad = [
        ("5".to_owned(), "no object"),
        ("null".to_owned(), "null"),
        ("[]".to_owned(), "an array"),
        (r#"{"event":"E","userId":"u"}"#.to_owned(), "no type"),
        (r#"{"type":"purchase","userId":"u"}"#.to_owned(), "an unknown type"),
        (r#"{"type":"track","event":"E"}"#.to_owned(), "nobody"),
        (r#"{"type":"track","userId":"u"}"#.to_owned(), "no name"),
        (r#"{"type":"track","event":"E","userId":"u","properties":5}"#.to_owned(), "properties that are no object"),
        (r#"{"type":"track","event":"E","userId":"u","timestamp":"yesterday"}"#.to_owned(), "a time that is none"),
        (r#"{"type":"track","event":"E","userId":"u","timestamp":"10000-01-01T00:00:00Z"}"#.to_owned(), "year 10000"),
        (r#"{"type":"track","event":"E","userId":{"a":1}}"#.to_owned(), "an id that is an object"),
        (r#"{"type":"track","event":"E","userId":"u","messageId":7}"#.to_owned(), "a message id that is a number"),
        (r#"{"type":"track","event":"E","userId":"u","properties":{"n":1e999}}"#.to_owned(), "a number beyond any"),
        (nested(2_000), "nested too deep"),
        (large, "too large"),
    ];
    for (event, what) in &bad {
        let answer = gateway.batch(&format!("{GOOD},{event},{GOOD}"));
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let rejected = &answer.json()["rejected"];
        assert_eq!((rejected.as_array().unwrap().len(), &rejected[0]["index"]), (1, &json!(1)), "{what}: {answer:?}");
        let alone = gateway.batch(event);
        assert_eq!((alone.status, alone.json()["success"].as_bool()), (400, Some(false)), "{what}: {alone:?}");
    }
    gateway.arrived(2 * bad.len());
    assert!(gateway.sink.ids().iter().all(|id| id == "good"), "nothing else arrived");
    let stores = tracklane_gateway::Layout::of(gateway.path()).unwrap().stores().unwrap();
    let rejects = stores.iter().find(|store| store.name == "rejected/web").expect("the source has a folder");
    let mut reasons = Vec::new();
    rejects.letters().visit(|letter| reasons.push((letter.reason.clone(), letter.error.clone()))).unwrap();
    assert_eq!(reasons.len(), 2 * bad.len());
    assert!(reasons.iter().all(|(reason, error)| !reason.is_empty() && error.is_some()), "{reasons:?}");
}

#[test]
fn odd_events_are_taken_as_they_are() {
    let gateway = Running::plain();
    let odd = [
        (r#"{"type":"track","event":"E","userId":"a\u0000b"}"#, "NUL in an id"),
        (r#"{"type":"track","event":"E","userId":"u","properties":{"__proto__":{"a":1}}}"#, "__proto__"),
        (r#"{"type":"page","type":"track","event":"E","userId":"u"}"#, "a member twice: the last one counts"),
        (r#"{"type":"track","event":"E","userId":"u","timestamp":"0000-01-01T00:00:00Z"}"#, "year 0"),
        (r#"{"type":"track","event":"E","userId":42}"#, "a number as id"),
        (r#"{"type":"track","event":"E","userId":"u","sentAt":"-1"}"#, "a sentAt that is none"),
    ];
    for (at, (event, what)) in odd.iter().enumerate() {
        assert_eq!(gateway.batch(event).status, 200, "{what}");
        gateway.arrived(at + 1);
        assert_eq!(gateway.sink.last()["type"], "track", "{what}");
    }
    assert_eq!(gateway.sink.events()[0]["userId"], "a\u{0}b");
    assert_eq!(gateway.sink.events()[1]["properties"]["__proto__"]["a"], 1);
}

#[test]
fn an_event_may_have_32768_bytes_in_its_final_form_and_not_one_more() {
    let gateway = Running::plain();
    let event = |bytes: usize| {
        let event = |padding: usize| {
            json!({
                "type": "track", "messageId": "m", "timestamp": "2026-01-01T00:00:00.000Z", "userId": "u", "event": "E",
                "properties": { "p": "x".repeat(padding) }, "context": { "library": { "name": "l", "version": "1" } },
            })
            .to_string()
        };
        event(bytes - event(0).len())
    };
    assert_eq!(event(32_768).len(), 32_768);
    assert_eq!(gateway.batch(&event(32_768)).status, 200);
    assert_eq!(gateway.batch(&event(32_769)).status, 400);
    gateway.arrived(1);
}

#[test]
fn a_batch_may_have_no_event_or_more_than_segment_takes() {
    let gateway = Running::plain();
    assert_eq!(gateway.batch("").status, 200);
    let many = vec![r#"{"type":"page","userId":"u"}"#; 2_501].join(",");
    assert_eq!(gateway.batch(&many).status, 200);
    gateway.arrived(2_501);
}

#[test]
fn a_body_that_is_none_has_a_status_of_its_own() {
    let gateway = Running::plain();
    let body = format!(r#"{{"writeKey":"K","batch":[{GOOD}]}}"#);
    let post = |headers: &str, body: &[u8]| gateway.send("POST /v1/batch", headers, body);
    let gzip = "content-encoding: gzip\r\n";
    let whole = zipped(body.as_bytes());
    let with_key = "authorization: Basic Szo=\r\n";
    for (headers, body, status, what) in [
        (gzip, &whole[..], 200, "gzip"),
        (gzip, &whole[..whole.len() - 5], 400, "gzip that was cut"),
        (gzip, body.as_bytes(), 400, "gzip that is none"),
        ("content-encoding: br\r\n", body.as_bytes(), 415, "an encoding that is not known"),
        (gzip, &zipped(&vec![b' '; 64 << 20]), 413, "a bomb"),
        (with_key, b"{\"batch\":[", 400, "no JSON"),
        (with_key, b"", 400, "nothing"),
        (with_key, b"[]", 400, "an array"),
        (with_key, b"{\"batch\":[{\"type\":\"track\",\"event\":\"\xff\"}]}", 400, "no UTF-8"),
        (with_key, b"data=e30", 400, "a form"),
        (with_key, br#"{"batch":[],"event":"\ud800"}"#, 200, "half a surrogate outside of an event"),
        ("authorization: Basic WDo=\r\n", body.as_bytes(), 401, "the header's key goes before the body's"),
    ] {
        let answer = post(headers, body);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let json = answer.json();
        assert_eq!(json["success"], status == 200, "{what}");
        assert!(status == 200 || (json["code"].is_string() && json["message"].is_string()), "{what}: {json}");
    }
    assert_eq!(gateway.batch(GOOD).status, 200, "it goes on");
}

#[test]
fn requests_that_are_no_http_or_never_end_hurt_nobody() {
    let gateway = Running::plain();
    let smuggled = "POST /v1/batch HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n\
                    GET /metrics HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let answer: Response = raw(gateway.address, smuggled.as_bytes());
    assert!(!answer.head.contains("200 OK"), "one request, refused: {answer:?}");
    let answer = raw(gateway.address, b"\x16\x03\x01\x00\xff garbage\r\n\r\n");
    assert!(matches!(answer.status, 400 | 0), "{answer:?}");
    let mut slow = std::net::TcpStream::connect(gateway.address).unwrap();
    slow.write_all(b"POST /v1/batch HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n{").unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(gateway.batch(GOOD).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "the slow one is not waited for");
    drop(slow);
    gateway.arrived(1);
}

#[test]
fn any_bytes_are_answered_and_hurt_nobody() {
    let gateway = Running::plain();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let good = format!(
        r#"{{"batch":[{GOOD},{{"type":"identify","userId":"u","traits":{{"a":[1,2.5e3,null]}}}}],"writeKey":"K"}}"#
    );
    for _ in 0..500 {
        let mut body = good.clone().into_bytes();
        for _ in 0..random.usize(1..6) {
            if body.len() < 2 {
                break;
            }
            let at = random.usize(..body.len());
            match random.u8(..4) {
                0 => body[at] = random.u8(..),
                1 => drop(body.remove(at)),
                2 => body.insert(at, b"{}[],:\"\\0"[random.usize(..9)]),
                _ => body.truncate(at.max(1)),
            }
        }
        let answer = gateway.send("POST /v1/batch", "", &body);
        let shown = String::from_utf8_lossy(&body);
        assert!(matches!(answer.status, 200 | 400 | 401), "seed {seed}: {answer:?} to {shown}");
        assert_eq!(answer.json()["success"], answer.status == 200, "seed {seed}: {answer:?} to {shown}");
    }
    let before = gateway.sink.events().len();
    assert_eq!(gateway.batch(r#"{"type":"track","event":"Last","userId":"u"}"#).status, 200);
    gateway.arrived(before + 1);
}
