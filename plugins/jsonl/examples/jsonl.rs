//! Writes events to files and reads them back. Runs offline: `cargo run -p tracklane-jsonl --example jsonl`.

use std::time::Duration;

use tracklane::{Analytics, Page, Track};
use tracklane_jsonl::{Jsonl, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("tracklane-jsonl-{}", std::process::id()));
    let archive = Jsonl::new(&directory).file("{type}.jsonl").build()?;
    let analytics = Analytics::builder().plugin(archive).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.page(Page::new("Home").user_id("u1"))?;
    let report = analytics.close_blocking(Duration::from_secs(5));
    println!("{} written below {}", report.delivered, directory.display());
    for event in Reader::open(&directory)? {
        println!("{}", serde_json::to_string(&event?)?);
    }
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
