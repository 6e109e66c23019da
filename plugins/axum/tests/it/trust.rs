//! What is believed of a request, and what is never taken from it.

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use axum::middleware::{self, Next};
use axum::routing::get;
use serde_json::Value;
use tracklane::Analytics;
use tracklane_axum::{RequestContextLayer, TrustedProxies};

use crate::server::{Server, contexts, track};

async fn serve(layer: RequestContextLayer) -> Server {
    let routes =
        |analytics: Analytics| Router::new().route("/", get(async move || track(&analytics, "u1"))).layer(layer);
    Server::start(routes).await
}

async fn context(layer: RequestContextLayer, target: &str, headers: &[(&str, &str)]) -> Value {
    let server = serve(layer).await;
    server.get(target, headers).await;
    contexts(&server.events().await).remove(0)
}

const FORWARDED: &[(&str, &str)] = &[
    ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
    ("x-forwarded-for", "10.0.0.2"),
    ("forwarded", "for=6.6.6.6;proto=https"),
    ("x-real-ip", "6.6.6.6"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "evil.example"),
];

#[tokio::test]
async fn without_trusted_proxies_no_header_gives_an_address() {
    let context = context(RequestContextLayer::new(), "/", FORWARDED).await;
    assert_eq!(context["ip"], "127.0.0.1");
    assert_eq!(context["page"]["url"], "http://shop.example:8080/");
}

#[tokio::test]
async fn behind_trusted_proxies_the_nearest_other_address_is_the_users() {
    let layer = RequestContextLayer::new();
    let trusting = |networks: &[&str]| layer.clone().trust_proxies(TrustedProxies::new(networks).unwrap());

    let through = context(trusting(&["127.0.0.0/8", "10.0.0.0/8"]), "/", FORWARDED).await;
    assert_eq!(through["ip"], "203.0.113.7");
    assert_eq!(through["page"]["url"], "https://shop.example:8080/");

    let nearest_only = context(trusting(&["127.0.0.1"]), "/", FORWARDED).await;
    assert_eq!(nearest_only["ip"], "10.0.0.2");

    let another = context(trusting(&["10.0.0.0/8"]), "/", FORWARDED).await;
    assert_eq!(another["ip"], "127.0.0.1");
}

#[tokio::test]
async fn an_address_that_cannot_be_told_is_left_out() {
    let proxies = TrustedProxies::new(["127.0.0.1"]).unwrap().forwarded();
    let context = context(
        RequestContextLayer::new().trust_proxies(proxies),
        "/",
        &[("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=6.6.6.6, for=unknown")],
    )
    .await;
    assert_eq!(context.get("ip"), None);
    assert_eq!(context["page"]["path"], "/");
}

#[tokio::test]
async fn the_origin_of_the_settings_wins_over_the_host_header() {
    let context = context(RequestContextLayer::new().origin("https://shop.example/"), "/?a=b", &[]).await;
    assert_eq!(context["page"]["url"], "https://shop.example/?a=b");
}

#[tokio::test]
async fn credentials_and_identities_are_never_taken() {
    let secret = "s3cret";
    let headers = [
        ("authorization", "Bearer s3cret"),
        ("proxy-authorization", "Basic s3cret"),
        ("cookie", "session=s3cret; ajs_user_id=s3cret; ajs_anonymous_id=s3cret"),
        ("x-api-key", secret),
        ("x-user-id", secret),
        ("x-distinct-id", secret),
        ("x-anonymous-id", secret),
        ("x-request-id", secret),
        ("x-csrf-token", secret),
        ("from", secret),
        ("origin", "https://s3cret.example"),
        ("referer", "https://s3cret:s3cret@a.example/"),
    ];
    let server = serve(RequestContextLayer::new()).await;
    server.get("/", &headers).await;
    let wire = server.wire().await;
    assert!(wire.contains("https://a.example/"), "{wire}");
    assert!(!wire.contains(secret), "{wire}");
}

#[tokio::test]
async fn queries_can_be_left_out() {
    let server = serve(RequestContextLayer::new().without_query()).await;
    server.get("/?token=s3cret", &[("referer", "https://a.example/reset?token=s3cret#s3cret")]).await;
    let wire = server.wire().await;
    assert!(wire.contains("https://a.example/reset"), "{wire}");
    assert!(!wire.contains("s3cret"), "{wire}");
}

#[tokio::test]
async fn a_header_that_a_layer_marked_as_sensitive_is_not_taken() {
    let mark = middleware::from_fn(async |mut request: Request, next: Next| {
        let mut agent = HeaderValue::from_static("s3cret");
        agent.set_sensitive(true);
        request.headers_mut().insert(USER_AGENT, agent);
        next.run(request).await
    });
    let routes = |analytics: Analytics| {
        let handler = get(async move || track(&analytics, "u1"));
        Router::new().route("/", handler).layer(RequestContextLayer::new()).layer(mark)
    };
    let server = Server::start(routes).await;
    server.get("/", &[]).await;
    assert!(!server.wire().await.contains("s3cret"));
}
