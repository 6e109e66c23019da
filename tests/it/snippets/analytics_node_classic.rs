//! The snippets of docs/migrating/analytics-node-classic.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn analytics_node_classic_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::{Analytics, Identify, signal};

let segment = Segment::new("WRITE_KEY").flush_at(20);
let analytics = Analytics::builder().segment(segment).on(signal::Error, |failure| eprintln!("{failure}")).build()?;
analytics.identify(Identify::new().user_id("u1").with_trait("plan", "Free"))?;
let report = analytics.flush_blocking(Duration::from_secs(10));
println!("{} delivered", report.delivered);
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_node_classic_2() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::{Alias, Analytics, Group, Page, Track};

let analytics = Analytics::new("WRITE_KEY")?; //#
analytics.track(
    Track::new("Item Purchased").user_id("u1").property("revenue", 39.95).property("shippingMethod", "2-day"),
)?;
analytics.page(Page::new("Node.js Library").category("Docs").user_id("u1").property("title", "Node.js Library"))?;
analytics.group(Group::new("56").user_id("u1").with_trait("name", "Initech"))?;
analytics.alias(Alias::new("old_id", "new_id"))?;
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_node_classic_3() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::Analytics;
use tracklane::segment::{Region, Segment};

let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").region(Region::Dublin)).build()?;
drop(analytics); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    analytics_node_classic_3().unwrap();
}
