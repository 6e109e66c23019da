//! Page calls that the layer makes by itself.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::http::request::Parts;
use axum::routing::any;
use serde_json::json;
use tower::Layer;
use tracklane::Analytics;
use tracklane_axum::{RequestContextLayer, Viewer};

use crate::server::{SOON, Server, contexts};

const USER: (&str, &str) = ("x-test-user", "u1");
const PANICS: (&str, &str) = ("x-test-user", "panics");

/// Trusting, because this is a test: whoever the header says.
fn viewer(request: &Parts) -> Viewer {
    match request.headers.get("x-test-user").map(|user| user.to_str().unwrap()) {
        Some("panics") => panic!("nobody knows"),
        Some(user) => Viewer::user(user).with_anonymous_id("a1"),
        None => Viewer::unknown(),
    }
}

fn site(analytics: Analytics) -> Router {
    answers().layer(RequestContextLayer::new().page_calls(&analytics, viewer))
}

/// Answers `/answer/{status}/{type}/{subtype}` by that status and media type.
fn answers() -> Router {
    let answer = async |Path((status, kind, subtype)): Path<(u16, String, String)>| {
        let media_type = format!("{kind}/{subtype}");
        Response::builder()
            .status(status)
            .header("content-type", media_type)
            .body(Body::from("<h1>Hello</h1>"))
            .unwrap()
    };
    let nested = Router::new().route("/{status}/{type}/{subtype}", any(answer));
    Router::new().nest("/answer", nested)
}

#[tokio::test]
async fn a_page_that_is_viewed_is_a_page_call() {
    let server = Server::start(site).await;
    let response = server.get("/answer/200/text/html?tab=a", &[USER, ("referer", "https://a.example/")]).await;
    assert!(response.ends_with("<h1>Hello</h1>"), "{response}");

    let events = server.events().await;
    let page = json!({
        "path": "/answer/200/text/html",
        "search": "?tab=a",
        "url": "http://shop.example:8080/answer/200/text/html?tab=a",
        "referrer": "https://a.example/",
    });
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "page");
    assert_eq!(events[0]["name"], "/answer/{status}/{type}/{subtype}");
    assert_eq!((&events[0]["userId"], &events[0]["anonymousId"]), (&json!("u1"), &json!("a1")));
    assert_eq!(events[0]["properties"], page);
    let context = json!({"ip": "127.0.0.1", "page": page, "referrer": {"url": "https://a.example/"}});
    assert_eq!(contexts(&events), [context]);
}

#[tokio::test]
async fn around_the_whole_router_the_route_is_not_known_and_the_call_has_no_name() {
    let server = Server::start(|analytics| {
        let layer = RequestContextLayer::new().page_calls(&analytics, viewer);
        Router::new().fallback_service(layer.layer(answers()))
    })
    .await;
    server.get("/answer/200/text/html", &[USER]).await;

    let events = server.events().await;
    assert_eq!(events[0].get("name"), None);
    assert_eq!(events[0]["properties"]["path"], "/answer/200/text/html");
}

/// Method, target, headers, and whether it is a page view.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], bool);

#[tokio::test]
async fn only_pages_that_somebody_views_are_page_calls() {
    let server = Server::start(site).await;
    let table: [Row; 14] = [
        ("GET", "/answer/200/text/html", &[USER], true),
        ("GET", "/answer/203/text/html;charset=utf-8", &[USER], true),
        ("GET", "/answer/200/TEXT/Html", &[USER], true),
        ("GET", "/answer/200/application/xhtml+xml", &[USER], true),
        ("GET", "/answer/200/application/json", &[USER], false),
        ("GET", "/answer/200/text/html5", &[USER], false),
        ("GET", "/answer/304/text/html", &[USER], false),
        ("GET", "/answer/404/text/html", &[USER], false),
        ("GET", "/answer/500/text/html", &[USER], false),
        ("POST", "/answer/200/text/html", &[USER], false),
        ("HEAD", "/answer/200/text/html", &[USER], false),
        ("GET", "/answer/200/text/html", &[USER, ("sec-purpose", "prefetch;prerender")], false),
        ("GET", "/answer/200/text/html", &[], false),
        ("GET", "/answer/200/text/html", &[PANICS], false),
    ];
    let mut expected = Vec::new();
    for (row, (method, path, headers, is_view)) in table.iter().enumerate() {
        let response = server.send(method, &format!("{path}?{row}"), headers).await;
        let status = path.split('/').nth(2).unwrap();
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {response}");
        expected.extend(is_view.then(|| format!("?{row}")));
    }
    let events = server.events().await;
    let called: Vec<_> = events.iter().map(|event| event["properties"]["search"].as_str().unwrap()).collect();
    assert_eq!(called, expected);
}

#[tokio::test]
async fn a_client_that_takes_no_calls_changes_no_response() {
    let server = Server::start(|analytics| {
        analytics.close_blocking(SOON);
        site(analytics)
    })
    .await;
    assert!(server.get("/answer/200/text/html", &[USER]).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.events().await.len(), 0);
}
