//! Several clients in one process, each with a source and settings of its own.
//!
//! ```text
//! cargo run --example several_clients
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let marketing = Analytics::builder("MARKETING_WRITE_KEY").host(api.url()).flush_at(1).build()?;
    let app = Analytics::builder("APP_WRITE_KEY").host(api.url()).flush_at(100).build()?;

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
    Ok(())
}
