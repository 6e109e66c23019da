//! The snippets of docs/migrating/rudderanalytics.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn rudderanalytics_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::segment::Segment;
use tracklane::{Analytics, Track};

let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host("https://dataplane.example")).build()?;
analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end
