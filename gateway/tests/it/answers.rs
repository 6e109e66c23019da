//! What a client is told, and what is true by then.

use serde_json::json;

use crate::support::{Running, Sink, plain, send, wait_until};

const TRACK: &str = r#"{"type":"track","event":"E","userId":"u","messageId":"m1"}"#;

#[test]
fn an_event_that_was_answered_with_200_is_on_the_disk_and_arrives() {
    let sink = Sink::default();
    sink.down.store(true, std::sync::atomic::Ordering::Release);
    let gateway = Running::start(tempfile::TempDir::new().unwrap(), sink, "", &plain("", ""));
    let answer = gateway.batch(TRACK);
    assert_eq!((answer.status, answer.json()), (200, json!({ "success": true })));
    let folder = gateway.directory.path().join("log/pipelines/main/sink/0000");
    let files = std::fs::read_dir(folder).unwrap().flatten();
    let waiting: Vec<String> = files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "batch"))
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect();
    assert!(waiting.len() == 1 && waiting[0].contains("\"m1\""), "{waiting:?}");
    gateway.sink.down.store(false, std::sync::atomic::Ordering::Release);
    gateway.arrived(1);
    assert_eq!(gateway.sink.ids(), ["m1"]);
}

#[test]
fn every_path_of_the_sdks_is_taken() {
    let gateway = Running::plain();
    let mut expected = 0;
    for path in ["/v1/batch", "/v1/import", "/v1/b", "/b", "/batch", "/import", "/v1/batch/"] {
        let body =
            format!(r#"{{"batch":[{{"type":"track","event":"E","userId":"u","messageId":"{path}"}}],"writeKey":"K"}}"#);
        assert_eq!(gateway.post(path, &body).status, 200, "{path}");
        expected += 1;
    }
    for (path, kind) in
        [("t", "track"), ("i", "identify"), ("p", "page"), ("s", "screen"), ("g", "group"), ("a", "alias")]
    {
        for path in [format!("/v1/{path}"), format!("/v1/{kind}"), format!("/{path}"), format!("/{kind}/")] {
            let body = json!({
                "writeKey": "K", "userId": "u", "event": "E", "groupId": "g", "previousId": "p", "messageId": path,
            });
            assert_eq!(gateway.post(&path, &body.to_string()).status, 200, "{path}");
            expected += 1;
            gateway.arrived(expected);
            assert_eq!(gateway.sink.last()["type"], kind, "{path}");
        }
    }
    assert_eq!(gateway.post("/v1/m", r#"{"series":[]}"#).status, 200);
    assert_eq!(gateway.send("GET /v1/projects/K/settings", "", b"").status, 200);
    assert_eq!(gateway.post("/v1/unknown", "{}").status, 404);
    assert_eq!(gateway.sink.events().len(), expected);
}

#[test]
fn a_key_is_refused_only_if_it_is_known_to_be_wrong() {
    let gateway = Running::plain();
    for (body, why) in [
        (r#"{"writeKey":"X","type":"track","event":"E","userId":"u"}"#, "another key"),
        (r#"{"type":"track","event":"E","userId":"u"}"#, "no key"),
    ] {
        let answer = gateway.post("/v1/track", body);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("invalid_write_key")), "{why}");
        assert!(answer.json()["message"].is_string(), "the Python SDK wants one: {answer:?}");
    }
    let by_header = gateway.send("POST /v1/track", "authorization: Basic Szo=\r\n", TRACK.as_bytes());
    assert_eq!(by_header.status, 200, "{by_header:?}");
    // Kotlin: the key comes last.
    let last = format!(r#"{{"batch":[{TRACK}],"sentAt":"2026-01-01T00:00:00.000Z","writeKey":"K"}}"#);
    assert_eq!(gateway.post("/v1/b", &last).status, 200);
}

#[test]
fn a_page_of_another_origin_is_refused_and_browsers_can_read_answers() {
    let gateway = Running::with(&plain("origins = [\"https://shop.example\"]\nevents_per_second = 1\nburst = 1", ""));
    let track = r#"{"writeKey":"K","event":"E","userId":"u"}"#.as_bytes();
    let foreign = gateway.send("POST /v1/t", "origin: https://evil.example\r\n", track);
    assert_eq!((foreign.status, foreign.json()["code"].as_str()), (403, Some("origin_not_allowed")));
    let own = "origin: https://shop.example\r\n";
    assert_eq!(gateway.send("POST /v1/t", own, track).status, 200);
    let too_many = gateway.send("POST /v1/t", own, track);
    assert_eq!(too_many.status, 429, "{too_many:?}");
    assert_eq!(too_many.header("retry-after"), Some("1"));
    assert_eq!(too_many.header("access-control-expose-headers"), Some("retry-after"));
    assert_eq!(too_many.header("access-control-allow-origin"), Some("https://shop.example"));
    let asked = "origin: https://shop.example\r\naccess-control-request-method: POST\r\n\
                 access-control-request-headers: authorization,content-type,x-retry-count\r\n";
    let preflight = gateway.send("OPTIONS /v1/t", asked, b"");
    assert_eq!(preflight.status, 204);
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("x-retry-count"), "{preflight:?}");
}

#[test]
fn what_stands_around_a_batch_belongs_to_each_event_that_does_not_say_otherwise() {
    let gateway = Running::plain();
    let body = json!({
        "writeKey": "K",
        "context": { "app": { "name": "shop", "version": "1" } },
        "integrations": { "All": true, "Other": false },
        "batch": [
            { "type": "track", "event": "E", "userId": "u", "messageId": "a" },
            {
                "type": "track", "event": "E", "userId": "u", "messageId": "b",
                "context": { "app": { "version": "2" } }, "integrations": { "Other": true },
            },
        ],
    });
    assert_eq!(gateway.post("/v1/batch", &body.to_string()).status, 200);
    gateway.arrived(2);
    let [a, b] = gateway.sink.events().try_into().unwrap();
    assert_eq!(
        (&a["context"]["app"], &a["integrations"]["Other"]),
        (&json!({ "name": "shop", "version": "1" }), &json!(false))
    );
    assert_eq!(
        (&b["context"]["app"], &b["integrations"]["Other"]),
        (&json!({ "name": "shop", "version": "2" }), &json!(true))
    );
}

#[test]
fn an_event_without_an_id_gets_the_same_one_when_its_request_comes_again() {
    let gateway = Running::plain();
    let body = r#"{"writeKey":"K","batch":[{"type":"track","event":"E","userId":"u"},{"type":"page","userId":"u"}]}"#;
    let other = body.replace("\"E\"", "\"F\"");
    for body in [body, body, &other] {
        assert_eq!(gateway.post("/v1/batch", body).status, 200);
    }
    gateway.arrived(6);
    let ids = gateway.sink.ids();
    assert_eq!(ids[..2], ids[2..4], "the same request");
    assert!(ids[0] != ids[1] && ids[0] != ids[4], "{ids:?}");
}

#[test]
fn times_are_by_the_clock_of_the_gateway_and_what_the_client_said_is_kept() {
    let gateway = Running::plain();
    let body = r#"{"writeKey":"K","event":"E","userId":"u","timestamp":"2020-01-01T00:00:00.000Z","sentAt":"2020-01-01T00:01:00.000Z"}"#;
    assert_eq!(gateway.post("/v1/track", body).status, 200);
    gateway.arrived(1);
    let event = gateway.sink.last();
    let happened: tracklane::event::Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
    let now = tracklane::event::Timestamp::from(std::time::SystemTime::now()).as_unix_millis();
    let ago = now - happened.as_unix_millis();
    assert!((59_000..70_000).contains(&ago), "a minute ago, not {ago} ms: {event}");
    let said = json!({ "originalTimestamp": "2020-01-01T00:00:00.000Z", "sentAt": "2020-01-01T00:01:00.000Z" });
    assert_eq!(event["context"]["clock"], said);
}

#[test]
fn the_address_is_that_of_the_sender_behind_trusted_proxies() {
    for (server, policy, forwarded, expected) in [
        ("", "add", "9.9.9.9, 203.0.113.7", json!("127.0.0.1")),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "add", "9.9.9.9, 203.0.113.7", json!("203.0.113.7")),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "truncate", "203.0.113.7", json!("203.0.113.0")),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "keep", "203.0.113.7", json!(null)),
    ] {
        let (directory, source) = (tempfile::TempDir::new().unwrap(), format!("ip = \"{policy}\""));
        let gateway = Running::start_all(directory, Sink::default(), server, "", &plain(&source, ""));
        let headers = format!("x-forwarded-for: {forwarded}\r\n");
        let body = br#"{"writeKey":"K","event":"E","userId":"u"}"#;
        assert_eq!(gateway.send("POST /v1/track", &headers, body).status, 200);
        gateway.arrived(1);
        assert_eq!(gateway.sink.last()["context"]["ip"], expected, "{server} {policy} {forwarded}");
    }
}

#[test]
fn a_pixel_is_a_picture_with_the_true_status() {
    let gateway = Running::plain();
    // {"writeKey":"K","event":"Opened","userId":"u"}
    let good = "GET /v1/pixel/track?data=eyJ3cml0ZUtleSI6IksiLCJldmVudCI6Ik9wZW5lZCIsInVzZXJJZCI6InUifQ";
    let answer = gateway.send(good, "", b"");
    assert!(answer.status == 200 && answer.body.starts_with("GIF89a"), "{answer:?}");
    gateway.arrived(1);
    let wrong = gateway.send("GET /v1/pixel/track?data=e30", "", b"");
    assert!(wrong.status == 401 && wrong.body.starts_with("GIF89a"), "{wrong:?}");
}

#[test]
fn health_and_metrics_tell_what_happened() {
    let gateway = Running::plain();
    assert_eq!(gateway.batch(TRACK).status, 200);
    assert_eq!(gateway.batch(r#"{"type":"nonsense"}"#).status, 400);
    gateway.arrived(1);
    for (address, path, status) in [
        (gateway.address, "/health/live", 200),
        (gateway.address, "/health/ready", 200),
        (gateway.admin, "/health/ready", 200),
        (gateway.address, "/metrics", 404),
    ] {
        assert_eq!(send(address, &format!("GET {path}"), "", b"").status, status, "{path}");
    }
    let events = |outcome: &str| {
        gateway.metric(&format!("tracklane_gateway_events_total{{source=\"web\",outcome=\"{outcome}\"}}")).unwrap()
    };
    let counted: Vec<f64> = ["received", "accepted", "rejected", "refused"].map(events).into();
    assert_eq!(counted, [2.0, 1.0, 1.0, 0.0]);
    let delivered = "tracklane_gateway_destination_delivered_total{pipeline=\"main\",destination=\"sink\"}";
    wait_until("the delivery was counted", || gateway.metric(delivered) == Some(1.0));
    assert_eq!(gateway.metric("tracklane_gateway_requests_total{status=\"400\"}"), Some(1.0));
}
