//! The snippets of docs/migrating/analytics-go.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn analytics_go_1() -> Result<(), Box<dyn std::error::Error>> { // begin
use std::time::Duration;
use tracklane::segment::Segment;
use tracklane::{Analytics, Properties, Track};

let segment = Segment::new("WRITE_KEY").flush_interval(Duration::from_secs(30)).flush_at(100);
let client = Analytics::builder().segment(segment).build()?;
client.track(
    Track::new("Signed Up").user_id("u1").properties(Properties::new().revenue(39.95).with("plan", "Enterprise")),
)?;
client.close_blocking(Duration::from_secs(10));
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_go_2() -> Result<(), Box<dyn std::error::Error>> { // begin
use tracklane::{Alias, Analytics, Group, Identify, Page, Properties, Traits};

let client = Analytics::new("WRITE_KEY")?; //#
let url = "https://segment.com/libraries/go/"; //#
client.identify(Identify::new().user_id("u1").traits(Traits::new().name("Michael").with("friends", 42)))?;
client.page(Page::new("Go Library").user_id("u1").properties(Properties::new().url(url)))?;
client.group(Group::new("56").user_id("u1").with_trait("name", "Initech"))?;
client.alias(Alias::new("anonymousUser", "u1"))?;
Ok::<(), Box<dyn std::error::Error>>(()) //#
} // end

#[rustfmt::skip]
fn analytics_go_3() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::event::context::App;
use tracklane::{Analytics, Context, Identify};

let client = Analytics::builder_for("WRITE_KEY")
    .context(Context::new().app(App::new().name("myapp").version("1.2.3")))
    .build()?;
let event = Identify::new().user_id("u1").context(Context::new().with_all(serde_json::json!({"active": true})));
drop((client, event)); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    analytics_go_3().unwrap();
}
