//! Prints three events. Runs offline: `cargo run -p tracklane-console --example console`.

use std::time::Duration;

use tracklane::{Analytics, Identify, Page, Track};
use tracklane_console::Console;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let analytics = Analytics::builder().plugin(Console::new().build()).build()?;
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "pro"))?;
    analytics.page(Page::new("Home").user_id("u1"))?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    Ok(())
}
