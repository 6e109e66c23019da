//! The snippets of docs/migrating/posthog-rs.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn posthog_rs_1() { // begin
use std::time::Duration;
use tracklane::{Analytics, Track};

async fn example() -> Result<(), Box<dyn std::error::Error>> { //#
let analytics = Analytics::new("WRITE_KEY")?;
analytics.track(Track::new("item purchased").user_id("u1").property("revenue", 39.95))?;
analytics.close(Duration::from_secs(10)).await;
Ok(()) //#
} //#
} // end

#[rustfmt::skip]
fn posthog_rs_2() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::plugin::before_fn;
use tracklane::{Analytics, Event, signal};

let analytics = Analytics::builder_for("WRITE_KEY")
    .plugin(before_fn("no email", |event: &mut Event| {
        event.section_mut().remove("email");
    }))
    .on(signal::Error, |failure| eprintln!("{failure}"))
    .build()?;
drop(analytics); //#
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[test]
fn what_can_run_without_a_network_runs() {
    posthog_rs_2().unwrap();
}
