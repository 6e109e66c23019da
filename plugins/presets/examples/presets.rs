//! Sends an event to a server on this machine as if it were RudderStack. Runs offline:
//! `cargo run -p tracklane-presets --example presets`.

use std::time::Duration;

use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};
use tracklane_presets::{rudderstack, traits_in_context};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = TrackingApi::start()?;
    let rudderstack = rudderstack(&api.url(), "WRITE_KEY").build()?;
    let analytics = Analytics::builder().plugin(traits_in_context()).plugin(rudderstack).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1"))?;
    analytics.close_blocking(Duration::from_secs(5));
    println!("{:#?}", api.events());
    Ok(())
}
