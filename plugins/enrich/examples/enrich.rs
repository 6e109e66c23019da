//! Enriches the page that a visitor came to. Runs offline: `cargo run -p tracklane-enrich --example enrich`.

use std::time::Duration;

use serde_json::json;
use tracklane::plugin::{Batch, Destination};
use tracklane::{Analytics, Page};
use tracklane_enrich::Enrich;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let console = Destination::from_fn("Console", |batch: Batch| async move {
        batch.messages().for_each(|message| println!("{}", String::from_utf8_lossy(message.json())));
        Ok::<(), std::io::Error>(())
    });
    let analytics = Analytics::builder().plugin(Enrich::new().metadata(true).build()?).plugin(console).build()?;
    analytics.page(Page::new("Home").user_id("u1").context(json!({
        "page": {
            "url": "https://shop.example/?utm_source=news&utm_campaign=spring&gclid=abc",
            "referrer": "https://www.google.com/",
        },
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    })))?;
    analytics.close_blocking(Duration::from_secs(5));
    Ok(())
}
