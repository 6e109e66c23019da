//! Sends events to a server on this machine, which verifies them. Runs offline:
//! `cargo run -p tracklane-webhook --example webhook`.

use std::time::{Duration, SystemTime};

use tracklane::{Analytics, Track};
use tracklane_http::testing::Server;
use tracklane_webhook::{SigningSecret, Webhook, verify};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    let webhook = Webhook::new(server.url("/events")).secret(SECRET);
    println!("{}\n", webhook.explain(Track::new("Item Purchased").user_id("u1"), SystemTime::now())?);

    let analytics = Analytics::builder().plugin(webhook.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));

    let secrets = [SigningSecret::new(SECRET)?];
    for request in server.requests() {
        let verified = verify(&request.headers, &request.body, &secrets, Duration::from_secs(300))?;
        println!("verified {}: {}", verified.id, request.text()?);
    }
    Ok(())
}
