//! Imports past events from a JSON Lines file: one event per line in Segment's form, each with its timestamp.
//!
//! ```text
//! cargo run --example historical_import                            # a sample, to a tracking API in this process
//! cargo run --example historical_import -- FILE                    # a file, to the same
//! cargo run --example historical_import -- FILE --write-key KEY    # to Segment (or set TRACKLANE_WRITE_KEY)
//! ```
//!
//! With a `messageId` in the file, an import can be repeated: Segment drops events that it has seen. The program
//! reports wrong lines and leaves them out. The exit code says whether there were wrong lines or undelivered events.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Event, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (path, write_key) = arguments()?;
    let (lines, bytes) = open(path.as_deref(), write_key.is_some())?;
    // Without a write key no event leaves this machine.
    let local = if write_key.is_none() { Some(TrackingApi::start()?) } else { None };
    let mut segment = Segment::new(write_key.as_deref().unwrap_or("WRITE_KEY")).flush_at(500);
    // Half an hour instead of some minutes: an import is not worth losing to an outage.
    segment = segment.retry(RetryPolicy::new().max_retries(65));
    if let Some(local) = &local {
        segment = segment.host(local.url());
    }

    let bar = ProgressBar::new(bytes).with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}")?);
    let above_the_bar = bar.clone();
    // `suspend` instead of the bar's `println`, which prints nothing without a terminal.
    let say = move |problem: &str| above_the_bar.suspend(|| eprintln!("{problem}"));
    let analytics = Analytics::builder()
        .segment(segment)
        .on(signal::Error, {
            let say = say.clone();
            move |failure| say(&failure.to_string())
        })
        .build()?;

    let mut wrong = 0_u64;
    for (index, line) in lines.split(b'\n').enumerate() {
        let line = line?;
        bar.inc(line.len() as u64 + 1);
        if let Err(problem) = import(&analytics, &line).await {
            wrong += 1;
            say(&format!("line {}: {problem}", index + 1));
        }
    }
    analytics.close(Duration::from_secs(60)).await;
    bar.finish();

    let stats = analytics.stats();
    let failed = stats.dropped.total();
    println!("{} accepted, {wrong} wrong, {} delivered, {failed} failed", stats.accepted, stats.delivered);
    if let Some(local) = &local {
        println!("{} arrived at {}", local.events().len(), local.url());
    }
    if wrong + failed == 0 { Ok(()) } else { Err(format!("{wrong} wrong, not delivered: {:?}", stats.dropped).into()) }
}

async fn import(analytics: &Analytics, line: &[u8]) -> Result<(), Box<dyn Error>> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let event: Event = serde_json::from_slice(line).map_err(|error| format!("not an event: {error}"))?;
    // Waits while the queue is full, so the import is as fast as the network.
    Ok(analytics.send_when_ready(event).await?)
}

/// Returns the file and the write key, if they are given.
fn arguments() -> Result<(Option<String>, Option<String>), String> {
    let (mut path, mut write_key) = (None, std::env::var("TRACKLANE_WRITE_KEY").ok());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--write-key" => write_key = Some(arguments.next().ok_or("--write-key needs a key")?),
            _ => path = Some(argument),
        }
    }
    Ok((path, write_key))
}

/// The input and its length.
fn open(path: Option<&str>, for_segment: bool) -> Result<(Box<dyn BufRead>, u64), String> {
    let Some(path) = path else {
        if for_segment {
            return Err("which file? The sample is not for your source".to_owned());
        }
        let sample = sample();
        let bytes = sample.len() as u64;
        return Ok((Box::new(Cursor::new(sample)), bytes));
    };
    let open = || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((Box::new(BufReader::new(file)) as Box<dyn BufRead>, bytes))
    };
    open().map_err(|error: std::io::Error| format!("cannot read {path}: {error}"))
}

/// A thousand orders of the year 2020.
fn sample() -> String {
    let order = |order: u32| {
        let event = json!({
            "type": "track", "event": "Order Completed", "userId": order % 50,
            "messageId": format!("import-2020-{order}"),
            "timestamp": format!("2020-{:02}-{:02}T12:00:00Z", order % 12 + 1, order % 28 + 1),
            "properties": { "order_id": order.to_string(), "revenue": 39.95 },
        });
        format!("{event}\n")
    };
    (0..1000).map(order).collect()
}
