//! An enrichment plugin: the sample of the analytics-node document, in Rust.
//!
//! ```text
//! cargo run --example lowercase_plugin
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event, Kind, Track, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url())).build()?;
    analytics.on(signal::Error, |failure| eprintln!("{failure}"));

    let lowercase = enrichment_fn("Lowercase events", |event: &mut Event| {
        let name = event.name().unwrap_or_default().to_lowercase();
        event.set_name(&name);
    })
    .only([Kind::Track]);
    analytics.register(lowercase).await?;

    analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r"))?;
    let report = analytics.close(Duration::from_secs(10)).await;
    for event in api.events() {
        println!("{}", event["event"]);
    }
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}
