//! Events that outlive their process: one client ends while the server is down, the next one sends what it left.
//!
//! ```text
//! cargo run -p tracklane-spool --example spool     # against a tracking API in this process
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Track, signal};
use tracklane_spool::Spool;

fn main() -> Result<(), Box<dyn Error>> {
    let api = TrackingApi::start()?;
    let directory = std::env::temp_dir().join(format!("tracklane-example-{}", std::process::id()));

    // The server is down. The events are safe as soon as they are on the disk.
    api.set_default(Reply::status(503));
    let (spool, analytics) = client(&api, &directory)?;
    for number in 1..=5 {
        analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r").property("number", number))?;
    }
    let report = analytics.flush_blocking(Duration::from_secs(10));
    println!("{} events are on the disk, {} arrived", report.delivered, api.events().len());
    analytics.close_blocking(Duration::from_secs(10));
    println!("the client is closed; {} file(s) wait in {}", spool.stats().files, directory.display());

    // The server is up again, and so is the program.
    api.set_default(Reply::as_segment());
    let (spool, analytics) = client(&api, &directory)?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while spool.stats().delivered < 5 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    analytics.close_blocking(Duration::from_secs(10));
    println!("the next client sent {} of them, with the ids and times of their calls:", spool.stats().delivered);
    for event in api.events() {
        println!("  {} {} {}", event["timestamp"], event["messageId"], event["properties"]);
    }
    std::fs::remove_dir_all(&directory)?;
    if api.events().len() == 5 { Ok(()) } else { Err("not every event arrived".into()) }
}

fn client(api: &TrackingApi, directory: &std::path::Path) -> Result<(Spool, Analytics), Box<dyn Error>> {
    let segment = Segment::new("WRITE_KEY")
        .host(api.url())
        // Impatient, so that the example ends soon. The spool keeps what the retries do not bring over.
        .retry(RetryPolicy::new().max_retries(1).backoff(Duration::from_millis(10), Duration::from_millis(10)))
        .build()?;
    let spool = Spool::new(directory);
    let analytics = Analytics::builder()
        .plugin(spool.in_front_of(segment))
        .on(signal::Error, |failure| println!("error: {failure}"))
        .build()?;
    Ok((spool, analytics))
}
