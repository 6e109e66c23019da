//! The snippets of docs/EDGE.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
async fn edge_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::{Analytics, Track};

let analytics = Analytics::builder_for("WRITE_KEY").driven(tokio::time::sleep).build()?;
analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r"))?; // Is queued. Nothing else happens.
let report = analytics.flush(Duration::from_secs(2)).await; // Plugins, requests and retries run here.
Ok(()) //#
} // end

#[rustfmt::skip]
async fn edge_2(analytics: tracklane::Analytics) { // begin
let driver = analytics.clone();
tokio::spawn(async move { driver.drive().await });
} // end
