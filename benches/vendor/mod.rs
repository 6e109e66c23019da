//! What a destination costs, all but the network: from a batch to requests that are answered at once.
//!
//! Each companion crate with a destination has a benchmark of its own that takes this in. The service is called on one
//! thread, without its lane, so that the figure is that of a core.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use http::{Request, Response};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;
use tracklane::plugin::{Answer, Batch, BatchService, Batching, Destination, Verdict};
use tracklane::testing::RecordingDestination;
use tracklane::transport::{Body, HttpClient};
use tracklane::{Analytics, Event, Track};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The purchase that the benchmarks of transforms send as well, with the context of a browser: about 900 bytes of JSON.
fn event(user: usize) -> Event {
    Track::new("Item Purchased")
        .user_id(format!("user-{user}"))
        .anonymous_id("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
        .property("revenue", 39.95)
        .property("currency", "USD")
        .property("order_id", "50314b8e9bcf000000000000")
        .property("coupon", "MAYDEALS")
        .property("product", json!({
            "product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly: 3rd Edition", "price": 19.0, "quantity": 2,
        }))
        .property("tags", ["games", "board games", "family"])
        .context(json!({
            "ip": "81.2.69.160",
            "page": {
                "url": "https://shop.example/games?utm_source=news&utm_medium=email&utm_campaign=spring",
                "referrer": "https://www.google.com/",
            },
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        }))
        .into()
}

/// A batch as a lane makes it, with events of so many users in turn.
fn batch(events: usize, users: usize) -> Batch {
    let recording = RecordingDestination::new("recording");
    let whole = Batching::every(events, Duration::from_secs(3600)).max_bytes(usize::MAX);
    let analytics = Analytics::builder()
        .max_queue_size(2 * events)
        .max_queue_bytes(1 << 30)
        .plugin(recording.destination().batching(whole))
        .build()
        .expect("the settings are valid");
    (0..events).for_each(|number| analytics.send(event(number % users)).expect("there is room"));
    assert_eq!(recording.wait_for_events(events, PATIENCE).len(), events, "all in one batch");
    recording.batches().swap_remove(0)
}

/// Answers every request at once, and looks at none.
#[derive(Clone)]
struct Answering;

impl Service<Request<Body>> for Answering {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        divan::black_box(request);
        ready(Ok(Response::new(Body::from("{}"))))
    }
}

/// Takes the service of a destination when it is registered.
struct Take(Arc<Mutex<Option<BatchService>>>);

impl Layer<BatchService> for Take {
    type Service = Nothing;

    fn layer(&self, service: BatchService) -> Nothing {
        *self.0.lock().expect("nobody panics under it") = Some(service);
        Nothing
    }
}

struct Nothing;

impl Service<Batch> for Nothing {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        ready(Ok(Verdict::Delivered.into()))
    }
}

/// Events per second that the service of a destination takes in batches of so many, each of another user. `make` gets an
/// HTTP client.
pub(crate) fn per_event(bencher: Bencher<'_, '_>, events: usize, make: impl FnOnce(HttpClient) -> Destination) {
    per_event_of(events, bencher, events, make);
}

/// The same with events of so many users.
pub(crate) fn per_event_of(
    users: usize,
    bencher: Bencher<'_, '_>,
    events: usize,
    make: impl FnOnce(HttpClient) -> Destination,
) {
    let taken = Arc::new(Mutex::new(None));
    let destination = make(HttpClient::new(Answering)).layer(Take(taken.clone()));
    let analytics = Analytics::builder().plugin(destination).build().expect("the settings are valid");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    // The pipeline is ready when the destination is registered.
    let mut pipeline = analytics.pipeline();
    runtime.block_on(poll_fn(|cx| pipeline.poll_ready(cx))).expect("it is ready");
    let mut service = taken.lock().expect("nobody panics under it").take().expect("it is registered");
    let batch = batch(events, users);
    let answer = runtime.block_on(service.call(batch.clone())).expect("it is answered");
    assert!((0..events).all(|event| answer.verdict_of(event) == Verdict::Delivered), "{answer:?}");
    bencher.counter(ItemsCount::new(events)).bench_local(|| runtime.block_on(service.call(batch.clone())));
}
