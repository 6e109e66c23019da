//! A destination of a few lines over the kit, against a server on this machine: `cargo run -p tracklane-http --example
//! vendor`.

use std::time::Duration;

use http::HeaderMap;
use tracklane::plugin::{Batch, Destination, RetryPolicy};
use tracklane::{Analytics, BoxError, Track};
use tracklane_http::testing::{Reply, Server};
use tracklane_http::{Client, Endpoint, Payload};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([Reply::new(500).body("try again"), Reply::new(200)])?;
    let client = Client::new(Endpoint::new("url", &server.url("/events"), false)?, None)?;
    let vendor = Destination::from_fn("Vendor", move |batch: Batch| {
        let client = client.clone();
        async move {
            let events: Vec<&[u8]> = batch.messages().map(|message| message.json()).collect();
            let received = client.send(&batch, Payload::ndjson(&events), HeaderMap::new()).await?;
            Ok::<_, BoxError>(received.answer(client.endpoint(), [], batch.timer().now()))
        }
    })
    .retry(RetryPolicy::new().backoff(Duration::from_millis(1), Duration::from_millis(1)));

    let analytics = Analytics::builder().plugin(vendor).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1"))?;
    let report = analytics.close_blocking(Duration::from_secs(5));
    println!("{} delivered with {} requests", report.delivered, server.requests().len());
    for request in server.requests() {
        print!("{} {} {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
