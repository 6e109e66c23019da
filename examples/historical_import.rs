//! Imports events of the past from a JSON Lines file: one event in Segment's form a line, each with its timestamp.
//!
//! ```text
//! cargo run --example historical_import                # a file that it makes itself
//! cargo run --example historical_import -- events.jsonl
//! ```
//!
//! A `messageId` in the file makes the import repeatable: Segment drops what it has seen.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = match std::env::args().nth(1) {
        Some(path) => PathBuf::from(path),
        None => sample()?,
    };
    let api = TrackingApi::start()?;
    let analytics = Analytics::builder("WRITE_KEY").host(api.url()).flush_at(500).build()?;

    let bar = ProgressBar::new(std::fs::metadata(&path)?.len())
        .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}")?);
    let (mut sent, mut wrong) = (0_u64, 0_u64);
    for line in BufReader::new(File::open(&path)?).lines() {
        let line = line?;
        bar.inc(line.len() as u64 + 1);
        match serde_json::from_str::<Event>(&line) {
            // Waits while the queue is full: an import is as fast as the network, and no faster.
            Ok(event) => match analytics.enqueue(event).await {
                Ok(()) => sent += 1,
                Err(refused) => {
                    wrong += 1;
                    bar.println(format!("{refused}"));
                }
            },
            Err(error) => {
                wrong += 1;
                bar.println(format!("not an event: {error}"));
            }
        }
    }
    let report = analytics.close(Duration::from_secs(60)).await;
    bar.finish();
    println!("{sent} accepted, {wrong} wrong, {} failed; {} arrived", report.failed, api.events().len());
    if report.is_complete() { Ok(()) } else { Err("not everything was delivered".into()) }
}

/// A thousand orders of the year 2020, and a line that is none.
fn sample() -> Result<PathBuf, Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("tracklane-import-{}.jsonl", std::process::id()));
    let mut file = File::create(&path)?;
    for order in 0..1000 {
        let event = json!({
            "type": "track", "event": "Order Completed", "userId": order % 50, "messageId": format!("import-2020-{order}"),
            "timestamp": format!("2020-{:02}-{:02}T12:00:00Z", order % 12 + 1, order % 28 + 1),
            "properties": { "order_id": order.to_string(), "revenue": 39.95 },
        });
        writeln!(file, "{event}")?;
    }
    writeln!(file, "{{\"type\": \"track\", \"userId\": \"nobody\"}}")?;
    Ok(path)
}
