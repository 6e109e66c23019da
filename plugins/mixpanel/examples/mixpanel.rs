//! Sends events to a server on this machine as if it were Mixpanel. Runs offline:
//! `cargo run -p tracklane-mixpanel --example mixpanel`.

use std::time::Duration;

use tracklane::{Analytics, Group, Identify, Track};
use tracklane_http::testing::Server;
use tracklane_mixpanel::Mixpanel;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    let mixpanel = Mixpanel::new("MIXPANEL_PROJECT_TOKEN").host(&server.url("")).group_key("company");
    println!("{}\n", mixpanel.explain(Group::new("g1").user_id("u1").with_trait("name", "Initech"))?);
    println!("{}\n", mixpanel.explain(Identify::new().user_id("u1"))?);

    let analytics = Analytics::builder().plugin(mixpanel.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    for request in server.requests() {
        println!("{} {}: {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
