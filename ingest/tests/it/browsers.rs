//! What browsers need: preflights, readable answers, beacons, pixels and settings.

use tracklane_ingest::Limits;

use crate::support::{Running, body, status};

const ORIGIN: &str = "origin: https://shop.example\r\n";

#[test]
fn a_preflight_allows_what_the_browser_sdk_sends() {
    let server = Running::as_segment();
    let asks = "access-control-request-method: POST\r\naccess-control-request-headers: authorization,x-retry-count\r\n\
                access-control-request-private-network: true\r\n";
    let answer = server.send("OPTIONS /v1/t", &format!("{ORIGIN}{asks}"), b"");
    assert_eq!(status(&answer), 204);
    for expected in [
        "access-control-allow-origin: https://shop.example",
        "access-control-allow-headers: authorization,x-retry-count",
        "access-control-allow-methods: POST",
        "access-control-allow-private-network: true",
        "access-control-allow-credentials: true",
    ] {
        assert!(answer.contains(expected), "no {expected} in {answer}");
    }
    assert!(server.requests.lock().unwrap().is_empty(), "a preflight is no event");
}

#[test]
fn a_page_may_read_the_answer_and_its_retry_after_also_when_it_is_an_error() {
    let server = Running::as_segment();
    for (sent, expected) in [("{}", 200), ("{", 400)] {
        let answer = server.send("POST /v1/batch", ORIGIN, sent.as_bytes());
        assert_eq!(status(&answer), expected);
        assert!(answer.contains("access-control-allow-origin: https://shop.example"), "{answer}");
        assert!(answer.contains("access-control-expose-headers: retry-after"), "{answer}");
    }
    assert!(server.send("POST /v1/x", ORIGIN, b"{}").contains("access-control-allow-origin"));
    assert!(!server.post("/v1/batch", "{}").contains("access-control-allow-origin"), "only where there is an origin");
}

#[test]
fn any_content_type_is_read_as_json() {
    let server = Running::as_segment();
    for kind in
        ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "application/octet-stream", "nonsense"]
    {
        let headers = format!("content-type: {kind}\r\n");
        let answer = server.send("POST /v1/t", &headers, br#"{"event":"E","anonymousId":"a","writeKey":"K"}"#);
        assert_eq!(status(&answer), 200, "{kind}");
        assert_eq!(server.last().events[0].findings, [], "{kind}");
    }
}

#[test]
fn a_pixel_is_an_event_and_always_a_picture() {
    let server = Running::start(Limits::default(), |request| request.strictly());
    // {"writeKey":"K","event":"Opened","userId":"u"}, as base64 and with the characters that URLs need escaped.
    let data = "eyJ3cml0ZUtleSI6IksiLCJldmVudCI6Ik9wZW5lZCIsInVzZXJJZCI6InUifQ";
    for query in [data.to_owned(), format!("{data}=="), format!("{data}%3D%3D")] {
        let answer = server.send(&format!("GET /v1/pixel/track?x=1&data={query}"), "", b"");
        assert!(status(&answer) == 200 && answer.contains("image/gif") && answer.contains("GIF89a"), "{answer}");
        let request = server.last();
        assert_eq!((request.key.as_deref(), request.events[0].findings.len()), (Some("K"), 0), "{query}");
    }
    for broken in ["/v1/pixel/track", "/v1/pixel/track?data=%", "/v1/pixel/page?data=AAAA"] {
        assert_eq!(status(&server.send(&format!("GET {broken}"), "", b"")), 200, "{broken}");
    }
    assert_eq!(status(&server.send("GET /v1/pixel/purchase", "", b"")), 404);
}

#[test]
fn the_settings_of_a_project_lead_back_here() {
    let server = Running::as_segment();
    let answer = server.send("GET /v1/projects/KEY_1/settings", ORIGIN, b"");
    let json: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(json["integrations"]["Segment.io"]["apiKey"], "KEY_1");
    assert_eq!(json["integrations"]["Segment.io"]["apiHost"], "localhost/v1");
    assert!(answer.contains("access-control-allow-origin"), "{answer}");
    assert_eq!(status(&server.send("GET /v1/projects/a%22b/settings", "", b"")), 404, "a key has no quotes");
}

#[test]
fn a_pixel_has_the_status_of_the_answer_where_that_is_asked_for() {
    let server = Running::with(Limits::default(), |request| request.strictly(), |ingest| ingest.pixels_with_status());
    let answer = server.send("GET /v1/pixel/track?data=%", "", b"");
    assert!(status(&answer) == 400 && answer.contains("GIF89a"), "{answer}");
}

#[test]
fn the_settings_lead_back_by_https_where_a_proxy_ends_it() {
    let server = Running::as_segment();
    let protocol = |headers: &str| {
        let answer = server.send("GET /v1/projects/K/settings", headers, b"");
        let json: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        json["integrations"]["Segment.io"]["protocol"].clone()
    };
    assert_eq!(protocol(""), "http");
    assert_eq!(protocol("x-forwarded-proto: https\r\n"), "https");
}
