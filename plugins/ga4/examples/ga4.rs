//! Sends events to a server on this machine as if it were Google. Runs offline:
//! `cargo run -p tracklane-ga4 --example ga4`.

use std::time::{Duration, SystemTime};

use tracklane::{Analytics, Identify, Track};
use tracklane_ga4::Ga4;
use tracklane_http::testing::{Reply, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    server.otherwise(Reply::new(204));
    let ga4 = Ga4::new("G-ABC123", "api_secret").host(&server.url("")).currency("EUR");
    println!("{}\n", ga4.explain(Track::new("Signed Up").user_id("u1"), SystemTime::now())?);
    println!("{}\n", ga4.explain(Identify::new().user_id("u1"), SystemTime::now())?);

    let analytics = Analytics::builder().plugin(ga4.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    for request in server.requests() {
        println!("{} {}: {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
