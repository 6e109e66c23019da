//! Settings that are taken and settings that are not.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use tracklane::Track;
use tracklane::plugin::Batching;
use tracklane_webhook::{Method, Webhook, WebhookSettings};

use crate::support::SECRET;

const URL: &str = "https://user:hunter2@hooks.example/hunter2";

#[test]
fn settings_that_cannot_be_used_are_named_without_secrets() {
    let signed = || Webhook::new(URL).secret(SECRET);
    let table = [
        (Webhook::new("http://user:hunter2@hooks.example").secret(SECRET), "url", "use https, or allow_plaintext"),
        (Webhook::new("hunter2").secret(SECRET), "url", "has no scheme"),
        (Webhook::new(URL), "secrets", "is empty: add one"),
        (
            signed().secret("hunter2hunter2ab"),
            "secrets",
            "one is base64 of 12 bytes: write \"whsec_\" and 24 to 64 random bytes in base64",
        ),
        (signed().secret("abc"), "secrets", "one is base64 of 2 bytes: write \"whsec_\" and 24 to 64 random bytes"),
        (signed().secret(""), "secrets", "one is empty: write \"whsec_\" and 24 to 64 random bytes in base64"),
        (signed().name(""), "name", "is empty"),
        (signed().name(" "), "name", "is empty"),
        (signed().max_body_bytes(0), "max_body_bytes", "is 0, and nearly every event is larger: use at least 256"),
        (signed().max_body_bytes(20), "max_body_bytes", "is 20, and nearly every event is larger: use at least 256"),
        (signed().timeout(Duration::ZERO), "timeout", "is zero"),
        (signed().secret("whsec_hunter2hunter2*"), "secrets", "one is not base64"),
        (signed().unsigned(true), "unsigned", "there are secrets"),
        (signed().segment_signature(""), "segment_signature", "is empty"),
        (signed().header("X Key", "hunter2"), "headers", "\"X Key\" is not the name of a header"),
        (signed().header("X-Key", "hunter2\n"), "headers", "\"X-Key\" has a value that is not valid in a header"),
        (signed().header("Webhook-Id", "hunter2"), "headers", "\"Webhook-Id\" is set by the request itself"),
        (signed().header("Content-Type", "hunter2"), "headers", "\"Content-Type\" is set by the request itself"),
        (signed().header("Host", "hunter2"), "headers", "\"Host\" is set by the request itself"),
        (signed().header("Idempotency-Key", "hunter2"), "headers", "\"Idempotency-Key\" is set by the request itself"),
        (signed().header("X-Signature", "hunter2"), "headers", "\"X-Signature\" is set by the request itself"),
    ];
    for (webhook, setting, problem) in table {
        let shown = format!("{webhook:?}");
        let unexplained = webhook.explain(Track::new("A").user_id("u"), UNIX_EPOCH).unwrap_err();
        let error = webhook.build().unwrap_err();
        assert_eq!(unexplained.to_string(), error.to_string());
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let told = format!("{error} {error:?} {cause} {shown}");
        assert!(told.starts_with(&format!("setting {setting}: ")) && told.contains(problem), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn settings_that_can_be_used_build() {
    for webhook in [
        Webhook::new(URL).secret(SECRET),
        Webhook::new(URL).secret(SECRET).max_body_bytes(256).timeout(Duration::from_millis(1)),
        Webhook::new(URL).unsigned(true),
        Webhook::new(URL).segment_signature("shared"),
        Webhook::new("http://hooks.example").secret(SECRET).allow_plaintext(true),
        Webhook::new("http://localhost:1").secret(SECRET).batched(Batching::every(10, Duration::from_secs(1))),
    ] {
        let shown = format!("{webhook:?}");
        // No certificates are needed to find out: a client is given.
        let client = tracklane::transport::HttpClient::new(Never);
        assert_eq!(webhook.http_client(client).build().unwrap().name(), "Webhook", "{shown}");
    }
}

/// A client that answers nothing.
#[derive(Clone)]
struct Never;

impl tower_service::Service<http::Request<tracklane::transport::Body>> for Never {
    type Response = http::Response<tracklane::transport::Body>;
    type Error = std::io::Error;
    type Future = std::future::Pending<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<tracklane::transport::Body>) -> Self::Future {
        std::future::pending()
    }
}

#[test]
fn settings_are_read_from_data_and_an_unknown_member_is_an_error() {
    let text = format!(
        r#"{{ "url": "{URL}", "name": "Hooks", "method": "PUT", "secrets": ["{SECRET}"], "segment_signature": "hunter2",
            "headers": {{ "X-Key": "hunter2" }}, "idempotency_key": true, "max_body_bytes": 20000, "gzip": true,
            "batch": {{ "events": 10, "interval_seconds": 5, "format": "ndjson" }}, "client_errors_are_final": true,
            "timeout_seconds": 15, "dry_run": false, "allow_plaintext": false, "unsigned": false }}"#
    );
    let settings: WebhookSettings = serde_json::from_str(&text).unwrap();
    let shown = format!("{settings:?} {:?}", Webhook::from(settings.clone()));
    assert!(!shown.contains("hunter2") && !shown.contains("MfKQ"), "{shown}");
    let explanation = Webhook::from(settings)
        .http_client(tracklane::transport::HttpClient::new(Never))
        .explain(Track::new("A").user_id("u"), UNIX_EPOCH)
        .unwrap();
    assert_eq!(explanation.requests[0].method, "PUT");
    assert!(
        explanation.requests[0].body.ends_with("}\n") && explanation.to_string().contains("idempotency-key: batch_")
    );
    for unknown in [text.replace("\"gzip\"", "\"zip\""), text.replace("\"events\"", "\"event\"")] {
        assert!(serde_json::from_str::<WebhookSettings>(&unknown).is_err(), "{unknown}");
    }
    assert!(serde_json::from_str::<WebhookSettings>("{}").is_err(), "a webhook without a URL");
    let empty = serde_json::from_str::<WebhookSettings>(&text.replace("\"events\": 10", "\"events\": 0")).unwrap_err();
    assert!(empty.to_string().starts_with("events is 0: use at least 1"), "{empty}");
    for method in ["put", "Put"] {
        let settings: WebhookSettings = serde_json::from_str(&text.replace("PUT", method)).unwrap();
        assert_eq!(settings.method, Method::Put, "capitals do not matter");
    }
    let unknown = serde_json::from_str::<WebhookSettings>(&text.replace("PUT", "GET")).unwrap_err();
    assert!(
        unknown.to_string().starts_with("unknown variant `GET`, expected one of `POST`, `PUT`, `PATCH`"),
        "{unknown}"
    );
}
