//! Several clients in one process, each with a source and settings of its own.
//!
//! ```text
//! cargo run --example several_clients
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let client = |write_key: &str, whose: &'static str, flush_at: usize| {
        let segment = Segment::new(write_key).host(api.url()).flush_at(flush_at);
        let settings = Analytics::builder().segment(segment);
        settings.on(signal::Error, move |failure| eprintln!("{whose}: {failure}")).build()
    };
    let marketing = client("MARKETING_WRITE_KEY", "marketing", 1)?;
    let app = client("APP_WRITE_KEY", "app", 100)?;

    for number in 0..3 {
        marketing.track(Track::new("Newsletter Opened").user_id("019mr8mf4r").property("number", number))?;
        app.track(Track::new("Button Clicked").user_id("019mr8mf4r").property("number", number))?;
    }
    marketing.close(Duration::from_secs(10)).await;
    app.close(Duration::from_secs(10)).await;
    for request in api.requests() {
        let body = request.json().unwrap_or_default();
        println!("{}: {} events", body["writeKey"], request.events().len());
    }
    let dropped = [marketing, app].map(|client| client.stats().dropped);
    let complete = dropped.iter().all(|dropped| dropped.total() == 0);
    if complete { Ok(()) } else { Err(format!("not delivered: {dropped:?}").into()) }
}
