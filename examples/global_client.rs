//! One client for the whole process, for code that has no handle to pass around.
//!
//! ```text
//! cargo run --example global_client
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, global, signal};

fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let settings = Analytics::builder().segment(Segment::new("WRITE_KEY").host(api.url()));
    global::init(settings.on(signal::Error, |failure| eprintln!("{failure}")).build()?)?;

    deep_inside();

    // A static is never dropped, so the program closes the client.
    let analytics = global::analytics()?;
    let report = analytics.close_blocking(Duration::from_secs(10));
    println!("{} delivered", report.delivered);
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}

fn deep_inside() {
    if let Err(error) = global::send(Track::new("Cache Missed").user_id("worker-1")) {
        eprintln!("{error}");
    }
}
