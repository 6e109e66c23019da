//! Settings that are taken and settings that are not.

use std::error::Error;
use std::time::Duration;

use tracklane::plugin::Batching;
use tracklane_webhook::{Webhook, WebhookSettings};

use crate::support::SECRET;

const URL: &str = "https://user:hunter2@hooks.example/hunter2";

#[test]
fn settings_that_cannot_be_used_are_named_without_secrets() {
    let signed = || Webhook::new(URL).secret(SECRET);
    let table = [
        (Webhook::new("http://user:hunter2@hooks.example").secret(SECRET), "url", "use https, or allow_plaintext"),
        (Webhook::new("hunter2").secret(SECRET), "url", "has no scheme"),
        (Webhook::new(URL), "secrets", "is empty: add one"),
        (signed().secret("hunter2hunter2ab"), "secrets", "one has 12 bytes: use 24 to 64 random bytes"),
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
        let error = webhook.build().unwrap_err();
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
        .explain(tracklane::Track::new("A").user_id("u"), std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(explanation.requests[0].method, "PUT");
    assert!(
        explanation.requests[0].body.ends_with("}\n") && explanation.to_string().contains("idempotency-key: batch_")
    );
    for unknown in [text.replace("\"gzip\"", "\"zip\""), text.replace("\"events\"", "\"event\"")] {
        assert!(serde_json::from_str::<WebhookSettings>(&unknown).is_err(), "{unknown}");
    }
    assert!(serde_json::from_str::<WebhookSettings>("{}").is_err(), "a webhook without a URL");
}
