//! The snippets of docs/migrating/analytics-node.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn analytics_node_1() { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::{Analytics, Track, signal};

async fn example() -> Result<(), Box<dyn std::error::Error>> { //#
let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").flush_at(20)).build()?;
analytics.on(signal::Error, |failure| eprintln!("{failure}"));
analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
let report = analytics.close(Duration::from_secs(5)).await;
drop(report); //#
Ok(()) //#
} //#
} // end

#[rustfmt::skip]
fn analytics_node_2() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::{Alias, Analytics, Group, Identify, Page, Screen, Track};

let analytics = Analytics::new("WRITE_KEY")?; //#
analytics.identify(Identify::new().user_id("u1").with_trait("name", "Michael Bolton").with_trait("friends", 42))?;
analytics.track(
    Track::new("Item Purchased").anonymous_id("a1").property("revenue", 39.95).property("shippingMethod", "2-day"),
)?;
analytics.page(Page::new("Node.js Library").category("Docs").user_id("u1").property("path", "/docs/node"))?;
analytics.screen(Screen::new("Welcome").user_id("u1"))?;
analytics.group(
    Group::new("56").user_id("u1").with_trait("name", "Initech").with_trait("description", "Accounting Software"),
)?;
analytics.alias(Alias::new("old_id", "new_id"))?;
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_node_3() { // begin
use tracklane::{Context, Track, Traits};

let event = Track::new("New Test")
    .anonymous_id("a1")
    .context(Context::new().traits(Traits::new().email("test@test.com")));
drop(event); //#
} // end

#[rustfmt::skip]
fn analytics_node_4() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::Analytics;
use tracklane::segment::{Region, Segment};

let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").region(Region::Dublin)).build()?;
drop(analytics); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn analytics_node_5() { // begin
use tracklane::plugin::enrichment_fn;
use tracklane::{Analytics, Event, Kind};

async fn example(analytics: Analytics) -> Result<(), tracklane::RegisterError> { //#
let lowercase = enrichment_fn("Lowercase events", |event: &mut Event| {
    let name = event.name().unwrap_or_default().to_lowercase();
    event.set_name(&name);
})
.only([Kind::Track]);
analytics.register(lowercase).await
} //#
} // end

#[rustfmt::skip]
fn analytics_node_6() { // begin
use tracklane::{Analytics, Track, signal}; //#
async fn example(analytics: Analytics) -> Result<(), tracklane::CallError> { //#
analytics.track(Track::new("Ultimate Played").user_id("u1").on_delivery(|end| println!("{:?}", end.outcome)))?;
let end = analytics.send_with_receipt(Track::new("Ultimate Played").user_id("u1"))?.await; // or wait for it
analytics.on(signal::CallAfterClose, |event| println!("too late: {}", event.kind()));
drop(end); //#
Ok(()) //#
} //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    analytics_node_3();
    analytics_node_4().unwrap();
}
