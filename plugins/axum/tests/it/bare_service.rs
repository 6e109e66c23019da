//! Around any tower service: no axum, no server, no body type of note.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::task::{Context, Poll};

use http::{Request, Response};
use serde_json::json;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracklane::Analytics;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane_axum::{RequestContext, RequestContextLayer, current_context};

use crate::server::{SOON, contexts, track};

#[derive(Clone)]
struct Peer(IpAddr);

fn request() -> Request<u8> {
    let request = Request::get("https://shop.example/buy").extension(Peer("::ffff:203.0.113.7".parse().unwrap()));
    request.header("host", "other.example").body(7).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_service_function_in_a_service_builder() {
    let api = TrackingApi::start().unwrap();
    let analytics = Analytics::builder()
        .segment(Segment::new("key").host(api.url()))
        .call_context(current_context)
        .build()
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(RequestContextLayer::new().peer_address(|extensions| Some(extensions.get::<Peer>()?.0)))
        .service(service_fn(async |request: Request<u8>| {
            tokio::task::yield_now().await;
            track(&analytics, "u1");
            Ok::<_, Infallible>(Response::new(request.into_body() + 1))
        }));
    assert_eq!(service.oneshot(request()).await.unwrap().into_body(), 8);

    assert!(analytics.close(SOON).await.is_complete());
    let page = json!({"path": "/buy", "url": "https://shop.example/buy"});
    assert_eq!(contexts(&api.events()), [json!({"ip": "203.0.113.7", "page": page})]);
}

/// Does all its work before it returns a future, and notes where a request is current.
struct Eager;

impl Service<Request<u8>> for Eager {
    type Response = Response<bool>;
    type Error = &'static str;
    type Future = Ready<Result<Response<bool>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        assert!(RequestContext::current().is_none());
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<u8>) -> Self::Future {
        match request.into_body() {
            0 => ready(Err("refused")),
            _ => ready(Ok(Response::new(RequestContext::current().is_some()))),
        }
    }
}

#[tokio::test]
async fn a_service_that_works_in_its_call_is_in_the_request_too() {
    let mut service = ServiceBuilder::new().layer(RequestContextLayer::new()).service(Eager);
    assert!(service.ready().await.unwrap().call(request()).await.unwrap().into_body());
    assert_eq!(service.ready().await.unwrap().call(request().map(|_| 0)).await.unwrap_err(), "refused");
    assert!(RequestContext::current().is_none());
}

#[tokio::test]
async fn a_handler_that_panics_leaves_no_request_behind() {
    let service = ServiceBuilder::new()
        .layer(RequestContextLayer::new())
        .service(service_fn(async |_: Request<u8>| -> Result<Response<()>, Infallible> { panic!("handler") }));
    let task = tokio::task::LocalSet::new();
    let ended = task.run_until(async { tokio::task::spawn_local(service.oneshot(request())).await }).await;
    assert!(ended.unwrap_err().is_panic());
    assert!(RequestContext::current().is_none());
}
