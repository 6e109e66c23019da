//! Segment's SDK test contract: plays a JSON script through the library and prints a JSON result.
//!
//! ```text
//! e2e_cli --input '{"writeKey": "…", "apiHost": "http://127.0.0.1:8080", "sequences": [{"delayMs": 0, "events": […]}]}'
//! e2e_cli --input-file script.json
//! ```
//!
//! Standard output gets one JSON object, `{"success": true, "sentBatches": 1}` or
//! `{"success": false, "error": "…", "sentBatches": n}`; the exit status is 0 on success and 1 otherwise.

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::{Analytics, Event, Receipt, Settlement, signal};

const USAGE: &str = "usage: e2e_cli --input JSON | --input-file PATH";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Script {
    write_key: String,
    api_host: Option<String>,
    #[serde(default)]
    sequences: Vec<Sequence>,
    config: Option<Config>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sequence {
    #[serde(default)]
    delay_ms: f64,
    /// As text, so that an error in one event does not affect the others.
    #[serde(default)]
    events: Vec<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    flush_at: Option<usize>,
    /// Milliseconds.
    flush_interval: Option<f64>,
    max_retries: Option<u32>,
    /// Milliseconds.
    http_request_timeout: Option<f64>,
    /// Seconds, for the final close.
    timeout: Option<f64>,
}

/// The result of the script.
struct Outcome {
    first_error: Option<String>,
    sent_batches: u64,
}

fn main() -> ExitCode {
    let Outcome { first_error, sent_batches } = match run() {
        Ok(outcome) => outcome,
        Err(error) => Outcome { first_error: Some(error.to_string()), sent_batches: 0 },
    };
    match first_error {
        None => {
            println!("{}", json!({ "success": true, "sentBatches": sent_batches }));
            ExitCode::SUCCESS
        }
        Some(error) => {
            println!("{}", json!({ "success": false, "error": error, "sentBatches": sent_batches }));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Outcome, Box<dyn Error>> {
    let script: Script = serde_json::from_str(&read_script()?)?;
    let config = script.config.unwrap_or_default();
    let timeout = Duration::try_from_secs_f64(config.timeout.unwrap_or(30.0))?;
    let settings = Analytics::builder().segment(segment(&script.write_key, script.api_host, &config)?);
    let analytics = settings.on(signal::Error, |failure| eprintln!("{failure}")).build()?;
    let mut ends = Vec::new();
    for sequence in script.sequences {
        thread::sleep(milliseconds(sequence.delay_ms)?);
        for event in sequence.events {
            ends.push(send(&analytics, event.get(), timeout).inspect_err(|error| eprintln!("refused: {error}")));
        }
    }
    let report = analytics.close_blocking(timeout);
    eprintln!("delivered {}, failed {}, pending {}", report.delivered, report.failed, report.pending);
    let sent_batches = analytics.stats().destinations.iter().map(|destination| destination.batches).sum();
    // In the order of the script.
    let first_error = ends.into_iter().find_map(|end| match end {
        Ok(receipt) => problem(&receipt.wait()),
        Err(refused) => Some(refused.to_string()),
    });
    Ok(Outcome { first_error, sent_batches })
}

/// Sends the event, and waits at most `patience` while the queue is full.
fn send(analytics: &Analytics, json: &str, patience: Duration) -> Result<Receipt, Box<dyn Error>> {
    let mut event: Event = serde_json::from_str(json)?;
    let start = Instant::now();
    loop {
        match analytics.send_with_receipt(event) {
            Err(refused) if refused.is_queue_full() && start.elapsed() < patience => event = refused.into_event(),
            sent => return Ok(sent?),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns why the event was not delivered, or `None` if it was.
fn problem(end: &Settlement) -> Option<String> {
    let tracklane::Outcome::Dropped(reason) = end.outcome else { return None };
    let error = end.destinations.iter().find_map(|destination| destination.error.as_ref());
    Some(match error {
        Some(error) => format!("event {} was not sent ({reason}): {error:#}", end.message_id),
        None => format!("event {} was not sent: {reason}", end.message_id),
    })
}

fn milliseconds(number: f64) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(number / 1_000.0)?)
}

fn read_script() -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(option), Some(value)) = (arguments.next(), arguments.next()) else { return Err(USAGE.into()) };
    match option.to_str() {
        Some("--input") => value.into_string().map_err(|_| "the script is not UTF-8".into()),
        Some("--input-file") => {
            std::fs::read_to_string(&value).map_err(|error| format!("cannot read {}: {error}", value.display()).into())
        }
        _ => Err(USAGE.into()),
    }
}

fn segment(write_key: &str, host: Option<String>, config: &Config) -> Result<Segment, Box<dyn Error>> {
    let mut segment = Segment::new(write_key);
    if let Some(host) = host {
        segment = segment.host(host);
    }
    if let Some(events) = config.flush_at {
        segment = segment.flush_at(events);
    }
    if let Some(interval) = config.flush_interval {
        segment = segment.flush_interval(milliseconds(interval)?);
    }
    if let Some(retries) = config.max_retries {
        segment = segment.retry(RetryPolicy::new().max_retries(retries));
    }
    if let Some(timeout) = config.http_request_timeout {
        segment = segment.http_request_timeout(milliseconds(timeout)?);
    }
    Ok(segment)
}
