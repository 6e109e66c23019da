//! The snippets of docs/migrating/analytics-net.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn analytics_net_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::{Duration, SystemTime};
use tracklane::segment::Segment;
use tracklane::{Analytics, Integrations, Track};

let when = SystemTime::now(); //#
let client = Analytics::builder()
    .segment(Segment::new("WRITE_KEY").http_request_timeout(Duration::from_secs(10)))
    .max_queue_size(10_000)
    .build()?;
client.track(
    Track::new("Item Purchased")
        .user_id("u1")
        .property("revenue", 39.95)
        .timestamp(when)
        .integrations(Integrations::new().all(false).enable("Kissmetrics")),
)?;
client.flush_blocking(Duration::from_secs(10));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_net_2() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::{Alias, Analytics, Group, Identify, Page, Screen};

let client = Analytics::new("WRITE_KEY")?; //#
client.identify(Identify::new().user_id("u1").with_trait("name", "Tom Smykowski").with_trait("friends", 29))?;
client.page(Page::new("Login").user_id("u1").property("path", "/login").property("title", "Initech Login"))?;
client.screen(Screen::new("Register").user_id("u1").property("type", "facebook"))?;
client.group(Group::new("56").user_id("u1").with_trait("name", "Initech, Inc."))?;
client.alias(Alias::new("previousId", "u1"))?;
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_net_3() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::{Analytics, Identify, global};

global::init(Analytics::new("WRITE_KEY")?)?;
global::send(Identify::new().user_id("u1").with_trait("plan", "Free"))?;
global::analytics()?.close_blocking(Duration::from_secs(10)); // a static is never dropped
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_net_4() { // begin
use tracklane::{Context, Page};

let id = "1033501218.1368477899"; //#
let event = Page::new("Login").user_id("u1").context(
    Context::new()
        .ip([12, 212, 12, 49])
        .locale("en-US") // the Spec's name; `language` is not one
        .with("Google Analytics", serde_json::json!({ "clientId": id })),
);
drop(event); //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    analytics_net_4();
}
