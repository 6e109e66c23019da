//! Takes secrets out of an event and shows what arrives. Runs offline: `cargo run -p tracklane-redact --example redact`.

use std::time::Duration;

use tracklane::plugin::{Batch, Destination};
use tracklane::{Analytics, Track};
use tracklane_redact::{Action, Redact};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let console = Destination::from_fn("Console", |batch: Batch| async move {
        batch.messages().for_each(|message| println!("{}", String::from_utf8_lossy(message.json())));
        Ok::<(), std::io::Error>(())
    });
    let redact = Redact::secrets().path("properties.email", Action::Hash).hash_key("sixteen bytes or more");
    let analytics = Analytics::builder().plugin(redact.build()?).plugin(console).build()?;
    analytics.track(
        Track::new("Signed In")
            .user_id("u1")
            .property("email", "ann@example.com")
            .property("password", "hunter2")
            .property("card", "4111 1111 1111 1111")
            .property("page", "https://example.com/reset/8f14e45fceea167a?token=abc"),
    )?;
    analytics.close_blocking(Duration::from_secs(5));
    println!("{}", redact.counts());
    Ok(())
}
