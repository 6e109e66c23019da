//! Sends events to a server on this machine as if it were Amplitude. Runs offline:
//! `cargo run -p tracklane-amplitude --example amplitude`.

use std::time::{Duration, SystemTime};

use tracklane::{Analytics, Identify, Track};
use tracklane_amplitude::Amplitude;
use tracklane_http::testing::Server;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    let amplitude = Amplitude::new("AMPLITUDE_API_KEY").host(&server.url(""));
    println!("{}\n", amplitude.explain(Track::new("Item Purchased").user_id("u1"), SystemTime::now())?);
    println!("{}\n", amplitude.explain(Identify::new().user_id("u1").with_trait("plan", "Pro"), SystemTime::now())?);

    let analytics = Analytics::builder().plugin(amplitude.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    for request in server.requests() {
        println!("{} {}: {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
