//! Sends two events to a server on this machine as if it were RudderStack. Runs offline:
//! `cargo run -p tracklane-presets --example presets`.

use std::time::Duration;

use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Identify, Track};
use tracklane_presets::{rudderstack, traits_in_context};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = TrackingApi::start()?;
    let rudderstack = rudderstack(&api.url(), "WRITE_KEY").build()?;
    let analytics = Analytics::builder().plugin(traits_in_context()).plugin(rudderstack).build()?;
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "pro"))?;
    analytics.track(Track::new("Item Purchased").user_id("u1"))?;
    analytics.close_blocking(Duration::from_secs(5));
    // The traits are in the context, too.
    api.events().iter().for_each(|event| println!("{event}"));
    Ok(())
}
