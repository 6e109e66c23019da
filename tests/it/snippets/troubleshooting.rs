//! The snippets of docs/TROUBLESHOOTING.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn troubleshooting_1() -> Result<(), tracklane::SettingsError> { // begin
use tracklane::{Analytics, signal};

let analytics = Analytics::builder_for("WRITE_KEY")
    .on(signal::Error, |failure| eprintln!("{failure}"))
    .on(signal::Flush, |batch| eprintln!("{} events, delivered: {}", batch.events, batch.delivered))
    .build()?;

let stats = analytics.stats();
println!("{} accepted, {} refused, {} delivered, {} pending", stats.accepted, stats.refused, stats.delivered, stats.pending);
for (reason, events) in stats.dropped.iter().filter(|(_, events)| *events > 0) {
    println!("{events} dropped: {reason}");
}
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn troubleshooting_2() -> Result<(), tracklane::SettingsError> { // begin
use std::time::Duration; //#
use tracklane::Analytics; //#
let analytics = Analytics::new("WRITE_KEY")?; //#
let report = analytics.close_blocking(Duration::from_secs(10)); // in async code: close(…).await
if !report.is_complete() {
    eprintln!("{} failed, {} not sent in time", report.failed, report.pending);
}
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn troubleshooting_3() -> Result<(), tracklane::SettingsError> { // begin
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tracklane::Analytics;
use tracklane::segment::Segment;
use tracklane::transport::{Body, DefaultClient, HttpClient};

// The default client, with a header added to each request.
let client = ServiceBuilder::new()
    .layer(MapRequestLayer::new(|mut request: http::Request<Body>| {
        request.headers_mut().insert("x-team", http::HeaderValue::from_static("growth"));
        request
    }))
    .service(DefaultClient::new()?);

let segment = Segment::new("WRITE_KEY").http_client(HttpClient::new(client));
let analytics = Analytics::builder().segment(segment).build()?;
Ok::<(), tracklane::SettingsError>(()) //#
} // end

#[rustfmt::skip]
fn troubleshooting_4() { // begin
use std::time::Duration; //#
use tracklane::{Analytics, Track}; //#
async fn handler(analytics: &Analytics) -> Result<(), Box<dyn std::error::Error>> {
    analytics.track(Track::new("Invoked").user_id("u1"))?;
    let report = analytics.flush(Duration::from_secs(2)).await;
    if !report.is_complete() {
        eprintln!("{} events failed, {} wait for the next invocation", report.failed, report.pending);
    }
    Ok(())
}
let _ = handler; //#
} // end
