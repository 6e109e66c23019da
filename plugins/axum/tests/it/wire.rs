//! What a request becomes on the wire.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::routing::get;
use serde_json::json;
use tracklane::{Analytics, Track};
use tracklane_axum::RequestContextLayer;

use crate::server::{Server, contexts, track};

const BROWSER: &[(&str, &str)] = &[
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
    ("accept-language", "en;q=0.5, de-AT, *;q=0.1"),
    ("referer", "https://me:secret@search.example/?q=cheap"),
];

fn tracks(analytics: Analytics) -> Router {
    Router::new().route("/buy/{item}", get(async move || track(&analytics, "u1")))
}

#[tokio::test]
async fn a_plain_call_in_a_handler_has_the_context_of_its_request() {
    let server = Server::start(|analytics| tracks(analytics).layer(RequestContextLayer::new())).await;
    assert!(server.get("/buy/7?size=xl&q=%20", BROWSER).await.starts_with("HTTP/1.1 200"));

    let context = json!({
        "ip": "127.0.0.1",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
        "locale": "de-AT",
        "page": {
            "path": "/buy/7",
            "search": "?size=xl&q=%20",
            "url": "http://shop.example:8080/buy/7?size=xl&q=%20",
            "referrer": "https://search.example/?q=cheap",
        },
        "referrer": {"url": "https://search.example/?q=cheap"},
    });
    assert_eq!(contexts(&server.events().await), [context]);
}

#[tokio::test]
async fn what_a_request_does_not_say_is_left_out() {
    let server = Server::start(|analytics| tracks(analytics).layer(RequestContextLayer::new())).await;
    server.get("/buy/7", &[("user-agent", ""), ("accept-language", "*")]).await;

    let context = json!({"ip": "127.0.0.1", "page": {"path": "/buy/7", "url": "http://shop.example:8080/buy/7"}});
    assert_eq!(contexts(&server.events().await), [context]);
}

#[tokio::test]
async fn the_call_wins_over_the_request_and_the_request_over_the_defaults() {
    let routes = |analytics: Analytics| {
        let call = Track::new("Tested").user_id(1).context(json!({"locale": "fr", "page": {"title": "Shop"}}));
        let handler = async move || analytics.track(call.clone()).unwrap();
        Router::new().route("/", get(handler)).layer(RequestContextLayer::new())
    };
    let defaults = json!({"locale": "en", "ip": "192.0.2.1", "app": {"name": "shop"}});
    let server = Server::start_with(|settings| settings.context(defaults), routes).await;
    server.get("/", BROWSER).await;

    let context = &contexts(&server.events().await)[0];
    assert_eq!(context["locale"], "fr");
    assert_eq!(context["page"]["title"], "Shop");
    assert_eq!(context["page"]["path"], "/");
    assert_eq!(context["ip"], "127.0.0.1");
    assert_eq!(context["app"]["name"], "shop");
}

#[tokio::test]
async fn the_order_of_layers_is_of_no_importance() {
    let routes = |analytics: Analytics| {
        let other = |analytics: Analytics, when: &'static str| {
            middleware::from_fn(move |request: Request, next: Next| {
                let analytics = analytics.clone();
                async move {
                    let response = next.run(request).await;
                    if when == "inside" {
                        track(&analytics, when);
                    }
                    response
                }
            })
        };
        let handlers = || tracks(analytics.clone());
        let inside = handlers().layer(other(analytics.clone(), "inside")).layer(RequestContextLayer::new());
        let outside = handlers().layer(RequestContextLayer::new()).layer(other(analytics.clone(), "outside"));
        let twice = handlers().layer(RequestContextLayer::new()).layer(RequestContextLayer::new());
        Router::new().nest("/inside", inside).nest("/outside", outside).nest("/twice", twice)
    };
    let server = Server::start(routes).await;
    for prefix in ["inside", "outside", "twice"] {
        server.get(&format!("/{prefix}/buy/7?a=b"), BROWSER).await;
    }
    let events = server.events().await;
    let paths: Vec<_> = contexts(&events).iter().map(|context| context["page"]["url"].clone()).collect();
    let url = |prefix: &str| json!(format!("http://shop.example:8080/{prefix}/buy/7?a=b"));
    assert_eq!(paths, [url("inside"), url("inside"), url("outside"), url("twice")]);
    for context in contexts(&events) {
        assert_eq!(context["ip"], "127.0.0.1");
        assert_eq!(context["locale"], "de-AT");
    }
}

#[tokio::test]
async fn the_longest_headers_do_not_make_an_event_too_large() {
    let server = Server::start(|analytics| tracks(analytics).layer(RequestContextLayer::new())).await;
    let long = "\"".repeat(20_000);
    let target = format!("/buy/{0}?{0}", "x".repeat(20_000));
    let headers = [("user-agent", long.as_str()), ("referer", &long), ("accept-language", &long)];
    assert!(server.get(&target, &headers).await.starts_with("HTTP/1.1 200"));

    let context = &contexts(&server.events().await)[0];
    assert_eq!(context["userAgent"].as_str().unwrap().len(), 1024);
    assert_eq!(context["page"]["url"].as_str().unwrap().len(), 1024);
}
