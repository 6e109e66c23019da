//! Sends events to a server on this machine as if it were PostHog. Runs offline:
//! `cargo run -p tracklane-posthog --example posthog`.

use std::time::{Duration, SystemTime};

use tracklane::{Analytics, Identify, Track};
use tracklane_http::testing::Server;
use tracklane_posthog::PostHog;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    let posthog = PostHog::new("phc_project_key").host(&server.url(""));
    println!("{}\n", posthog.explain(Track::new("Item Purchased").user_id("u1"), SystemTime::now())?);
    println!("{}\n", posthog.explain(Identify::new().user_id("undefined"), SystemTime::now())?);

    let analytics = Analytics::builder().plugin(posthog.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    for request in server.requests() {
        println!("{} {}: {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
