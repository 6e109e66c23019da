//! Whose request it is: requests at the same time, and tasks that leave theirs.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tracklane::Analytics;
use tracklane_axum::{RequestContext, RequestContextLayer, in_request};

use crate::server::{Server, contexts, request, track};

const TOGETHER: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_the_same_time_do_not_mix() {
    let routes = |analytics: Analytics| {
        let all = Arc::new(Barrier::new(TOGETHER));
        let handler = async move |Path(who): Path<String>| {
            // Every request is in the middle of its work when the first one goes on.
            track(&analytics, &who);
            all.wait().await;
            track(&analytics, &who);
            tokio::task::yield_now().await;
            track(&analytics, &who);
        };
        Router::new().route("/{who}", get(handler)).layer(RequestContextLayer::new())
    };
    let server = Server::start(routes).await;
    let address = server.address();
    let requests: Vec<_> = (0..TOGETHER)
        .map(|who| {
            tokio::spawn(async move {
                request(address, "GET", &format!("/{who}"), &[("user-agent", &format!("agent {who}"))]).await
            })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().starts_with("HTTP/1.1 200"));
    }
    let events = server.events().await;
    assert_eq!(events.len(), 3 * TOGETHER);
    for event in events {
        let who = event["userId"].as_str().unwrap();
        assert_eq!(event["context"]["userAgent"], format!("agent {who}"));
        assert_eq!(event["context"]["page"]["path"], format!("/{who}"));
    }
}

#[tokio::test]
async fn tasks_and_threads_are_in_the_request_they_are_told() {
    let routes = |analytics: Analytics| {
        let handler = async move || {
            let calls = |who: &'static str| {
                let analytics = analytics.clone();
                move || track(&analytics, who)
            };
            let (bare, told, in_body) = (calls("bare"), calls("told"), calls("body"));
            tokio::spawn(async move { bare() }).await.unwrap();
            tokio::spawn(in_request(async move {
                tokio::task::yield_now().await;
                told();
            }))
            .await
            .unwrap();
            let (request, blocking) = (RequestContext::current().unwrap(), calls("blocking"));
            let also = request.clone();
            tokio::task::spawn_blocking(move || request.sync_scope(blocking)).await.unwrap();
            tokio::spawn(also.scope(async move { in_body() })).await.unwrap();
        };
        Router::new().route("/", get(handler)).layer(RequestContextLayer::new())
    };
    let server = Server::start(routes).await;
    server.get("/", &[("user-agent", "curl")]).await;

    let events = server.events().await;
    let agents: Vec<_> = events.iter().map(|event| (&event["userId"], &event["context"]["userAgent"])).collect();
    let (curl, none) = (json!("curl"), Value::Null);
    let whos = ["bare", "told", "blocking", "body"].map(|who| json!(who));
    assert_eq!(agents, [(&whos[0], &none), (&whos[1], &curl), (&whos[2], &curl), (&whos[3], &curl)]);
}

#[tokio::test]
async fn outside_of_requests_calls_are_what_they_were() {
    let server = Server::start(|analytics| {
        assert!(RequestContext::current().is_none());
        track(&analytics, "u1");
        Router::new()
    })
    .await;
    assert!(in_request(async { RequestContext::current().is_none() }).await);
    assert_eq!(contexts(&server.events().await), [json!({})]);
}
