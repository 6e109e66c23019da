//! Another HTTP client, in the three ways of the analytics-node document: through a proxy, with an added header, and
//! fully replaced.
//!
//! ```text
//! cargo run --example custom_http_client
//! ```

use std::error::Error;
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::transport::{Body, DefaultClient, HttpClient};
use tracklane::{Analytics, Builder, Track, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // 1. The default client through a proxy. The proxy here is a local server that only shows its requests.
    let proxy = TrackingApi::start()?;
    proxy.accept_everything();
    let address = proxy.url().replace("http://", "http://user:password@");
    send(Analytics::builder().segment(Segment::new("WRITE_KEY").host("http://127.0.0.1:9").proxy(address))).await?;
    for request in proxy.requests() {
        println!("the proxy was asked for {}, with {:?}", request.path(), request.header("proxy-authorization"));
    }

    // 2. The default client, wrapped in a tower layer that adds a header.
    let api = TrackingApi::start()?;
    let with_header = ServiceBuilder::new()
        .layer(MapRequestLayer::new(|mut request: Request<Body>| {
            request.headers_mut().insert("x-source", HeaderValue::from_static("billing"));
            request
        }))
        .service(DefaultClient::new()?);
    send(
        Analytics::builder()
            .segment(Segment::new("WRITE_KEY").host(api.url()).http_client(HttpClient::new(with_header))),
    )
    .await?;
    for request in api.requests() {
        println!("the API got the header x-source: {:?}", request.header("x-source"));
    }

    // 3. A client of your own: any tower service from a request to a response.
    let own = tower::service_fn(|request: Request<Body>| async move {
        println!("{} {} with {} bytes", request.method(), request.uri(), request.body().as_bytes().len());
        Ok::<_, std::io::Error>(Response::new(Body::from("{\"success\": true}")))
    });
    send(Analytics::builder().segment(Segment::new("WRITE_KEY").http_client(HttpClient::new(own)))).await
}

async fn send(settings: Builder) -> Result<(), Box<dyn Error>> {
    let analytics = settings.on(signal::Error, |failure| eprintln!("{failure}")).build()?;
    analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r"))?;
    let report = analytics.close(Duration::from_secs(10)).await;
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}
