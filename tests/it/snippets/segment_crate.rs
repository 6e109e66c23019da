//! The snippets of docs/migrating/segment-crate.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn segment_crate_1() { // begin
use std::time::Duration;
use tracklane::{Analytics, Track};

async fn example() -> Result<(), Box<dyn std::error::Error>> { //#
let analytics = Analytics::new("WRITE_KEY")?;
analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
analytics.close(Duration::from_secs(10)).await;
Ok(()) //#
} //#
} // end
