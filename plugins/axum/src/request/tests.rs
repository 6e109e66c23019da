//! What is kept of a request, and for how long.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, USER_AGENT};
use http::{Request, Response};
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;
use tower_service::Service;
use tracklane::Analytics;

use super::{Captured, RequestContext};
use crate::{RequestContextLayer, Viewer};

fn current() -> Weak<Captured> {
    Arc::downgrade(&RequestContext::current().unwrap().captured)
}

fn request() -> Request<()> {
    let request = Request::get("/buy?x=1").header(USER_AGENT, "curl").header(ACCEPT_LANGUAGE, "de");
    request.header(COOKIE, "session=secret").body(()).unwrap()
}

/// Calls are made and refused, so that the client keeps nothing, and counts them.
fn closed_client() -> Analytics {
    let analytics = Analytics::builder().call_context(crate::current_context).build().unwrap();
    analytics.close_blocking(Duration::ZERO);
    analytics
}

#[tokio::test]
async fn a_hundred_thousand_requests_leave_nothing_behind() {
    let analytics = closed_client();
    let identified = Arc::new(());
    let closure = identified.clone();
    let layer = RequestContextLayer::new().page_calls(&analytics, move |_| {
        let _ = &closure;
        Viewer::user(1)
    });
    let last = RefCell::new(Weak::new());
    let mut service = layer.layer(service_fn(async |request: Request<u32>| {
        assert_eq!(last.borrow().strong_count(), 0, "the request before is still there");
        last.replace(current());
        tokio::task::yield_now().await;
        // Every hundredth makes calls, and is a page.
        if !request.into_body().is_multiple_of(100) {
            return Ok(Response::new(()));
        }
        assert_eq!(RequestContext::current().unwrap().context().len(), 3);
        Ok::<_, Infallible>(Response::builder().header(CONTENT_TYPE, "text/html").body(()).unwrap())
    }));
    for number in 0..100_000 {
        service.ready().await.unwrap().call(request().map(|()| number)).await.unwrap();
    }
    assert_eq!(last.borrow().strong_count(), 0);
    drop((service, layer));
    assert_eq!(Arc::strong_count(&identified), 1, "the closure is gone with the layer");
    assert_eq!(analytics.stats().refused, 1_000, "every page call was made");
}

#[test]
fn a_request_that_is_cancelled_is_freed_with_its_future() {
    let analytics = closed_client();
    let seen = RefCell::new(Weak::new());
    let layer = RequestContextLayer::new().page_calls(&analytics, |_| Viewer::user(1));
    let mut service = layer.layer(service_fn(async |_: Request<()>| {
        seen.replace(current());
        pending::<Result<Response<()>, Infallible>>().await
    }));
    {
        let mut response = pin!(service.call(request()));
        assert!(matches!(response.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())), Poll::Pending));
        assert!(RequestContext::current().is_none(), "nobody is in a request while nothing is polled");
        assert_ne!(seen.borrow().strong_count(), 0);
    }
    assert_eq!(seen.borrow().strong_count(), 0);
    assert_eq!(analytics.stats().refused, 0, "no page call was made");
}

#[tokio::test]
async fn a_request_without_calls_makes_no_context() {
    let service = RequestContextLayer::new().layer(service_fn(|_: Request<()>| {
        assert!(RequestContext::current().unwrap().captured.context.get().is_none());
        ready(Ok::<_, Infallible>(Response::new(())))
    }));
    service.oneshot(request()).await.unwrap();
}

#[tokio::test]
async fn closures_that_panic_cost_their_answer_only() {
    let layer = RequestContextLayer::new().peer_address(|_| -> Option<IpAddr> { panic!("no address today") });
    let service = layer.layer(service_fn(|_: Request<()>| {
        assert_eq!(RequestContext::current().unwrap().ip(), None);
        ready(Ok::<_, Infallible>(Response::new(())))
    }));
    service.oneshot(request()).await.unwrap();
}

#[tokio::test]
async fn nothing_personal_is_shown() {
    let layer = RequestContextLayer::new().peer_address(|_| Some(IpAddr::from([203, 0, 113, 7])));
    let service = layer.layer(service_fn(|_: Request<()>| {
        let request = RequestContext::current().unwrap();
        assert_eq!(request.context().get_str("userAgent").unwrap(), "curl");
        ready(Ok::<_, Infallible>(Response::new(format!("{request:?} {:?}", Viewer::user("curl")))))
    }));
    let shown = format!("{service:?} {layer:?}") + &service.oneshot(request()).await.unwrap().into_body();
    for personal in ["203.0.113.7", "curl", "/buy"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}
