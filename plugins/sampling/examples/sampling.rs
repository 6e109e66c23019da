//! Sends every tenth user and all orders. Runs offline: `cargo run -p tracklane-sampling --example sampling`.

use std::time::Duration;

use tracklane::plugin::{Batch, Destination};
use tracklane::{Analytics, Track};
use tracklane_sampling::Sampling;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let console = Destination::from_fn("Console", |batch: Batch| async move {
        batch.messages().for_each(|message| println!("{}", String::from_utf8_lossy(message.json())));
        Ok::<(), std::io::Error>(())
    });
    let sampling = Sampling::new(0.1).event("Order *", 1.0);
    let analytics = Analytics::builder().plugin(sampling.build()?).plugin(console).build()?;
    for user in 0..20 {
        analytics.track(Track::new("Video Played").user_id(user))?;
    }
    analytics.track(Track::new("Order Completed").user_id(3))?;
    let report = analytics.close_blocking(Duration::from_secs(5));
    println!("{} sent, {} sampled away", report.delivered, report.dropped);
    Ok(())
}
