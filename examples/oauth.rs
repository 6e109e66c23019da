//! OAuth 2.0 with Segment: a token server, a tracking API and a client, all in this process.
//!
//! ```text
//! cargo run --example oauth
//! ```

use std::error::Error;
use std::time::Duration;

use tracklane::segment::OAuth;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Track, signal};

/// In your program: the private key to the public key that you uploaded to Segment. Read it from your secrets.
const PRIVATE_KEY: &str = include_str!("../tests/it/fixtures/oauth/private.pkcs8.pem");

fn main() -> Result<(), Box<dyn Error>> {
    // This one grants a token to any request. Segment's checks the signature.
    let token_server = TrackingApi::start()?;
    token_server.reply_with(|_| Reply::status(200).body(r#"{"access_token":"a.token","expires_in":86400}"#));
    let segment = TrackingApi::start()?;

    let oauth = OAuth::new("CLIENT_ID_FROM_DASHBOARD", PRIVATE_KEY, "KEY_ID_FROM_DASHBOARD")
        // Not needed for a workspace in the US; in the EU it is https://oauth2.eu1.segmentapis.com.
        .auth_server(token_server.url());
    let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").host(segment.url()).oauth(oauth)).build()?;

    // Reports wrong settings: the answer of the token server, and the events that are lost.
    analytics.on(signal::Error, |failure| eprintln!("error: {failure}"));

    for user in ["michael", "peter", "samir"] {
        analytics.track(Track::new("Signed In").user_id(user))?;
    }
    let report = analytics.close_blocking(Duration::from_secs(10));

    println!("{} events delivered, {} token request(s)", report.delivered, token_server.request_count());
    for request in segment.requests() {
        let shown = |name| request.header(name).unwrap_or_default().to_owned();
        println!("{} {}\n  authorization: {}", request.method(), request.path(), shown("authorization"));
        println!("  writeKey: {}", request.json().unwrap_or_default()["writeKey"]);
    }
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}
