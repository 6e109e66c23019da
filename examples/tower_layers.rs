//! Tower layers around a destination, and around the whole pipeline.
//!
//! ```text
//! cargo run --example tower_layers
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use tower::limit::{ConcurrencyLimitLayer, RateLimitLayer};
use tower::timeout::TimeoutLayer;
use tower::util::MapRequestLayer;
use tracklane::plugin::{Batch, Destination};
use tracklane::{Analytics, Event, Track, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let slow = Destination::from_fn("partner", move |batch: Batch| async move {
        let names: Vec<_> =
            batch.messages().map(|message| message.event().name().unwrap_or_default().into_owned()).collect();
        println!("{:>4} ms  {names:?}", start.elapsed().as_millis());
        Ok::<(), std::io::Error>(())
    })
    // The last layer added is the outermost: at most two at once, five in 100 ms, half a second each.
    .layer(TimeoutLayer::new(Duration::from_millis(500)))
    .layer(RateLimitLayer::new(5, Duration::from_millis(100)))
    .layer(ConcurrencyLimitLayer::new(2));

    let analytics = Analytics::builder()
        .plugin(slow)
        // Source middleware sees every event before the first plugin.
        .layer(MapRequestLayer::new(|mut event: Event| {
            event.context_mut().insert("channel", "server");
            event
        }))
        .on(signal::Error, |failure| eprintln!("{failure}"))
        .build()?;
    for number in 1..=12 {
        analytics.track(Track::new(format!("Event {number}")).user_id("019mr8mf4r"))?;
    }
    analytics.close(Duration::from_secs(10)).await;
    let stats = analytics.stats();
    println!("{} delivered, {} dropped", stats.delivered, stats.dropped.total());
    if stats.dropped.total() == 0 { Ok(()) } else { Err(format!("not delivered: {:?}", stats.dropped).into()) }
}
