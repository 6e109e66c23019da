//! Several clients in one process, each with a source and settings of its own.
//!
//! ```text
//! cargo run --example several_clients
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let settings = |write_key: &str, whose: &'static str| {
        let settings = Analytics::builder_for(write_key).host(api.url());
        settings.on(signal::Error, move |failure| eprintln!("{whose}: {failure}"))
    };
    let marketing = settings("MARKETING_WRITE_KEY", "marketing").flush_at(1).build()?;
    let app = settings("APP_WRITE_KEY", "app").flush_at(100).build()?;

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
