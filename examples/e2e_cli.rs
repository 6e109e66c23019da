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
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tracklane::{Analytics, Builder, Event, Receipt, Settlement, signal};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Script {
    write_key: String,
    api_host: Option<String>,
    #[serde(default)]
    sequences: Vec<Sequence>,
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sequence {
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    events: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    flush_at: Option<usize>,
    /// Milliseconds.
    flush_interval: Option<u64>,
    max_retries: Option<u32>,
    /// Milliseconds.
    http_request_timeout: Option<u64>,
    /// Seconds, for the final close.
    timeout: Option<f64>,
}

/// What the script came to.
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
    let timeout = Duration::try_from_secs_f64(script.config.timeout.unwrap_or(30.0))?;
    let analytics = settings(&script).on(signal::Error, |failure| eprintln!("{failure}")).build()?;
    let (mut receipts, mut first_error) = (Vec::new(), None);
    for sequence in script.sequences {
        thread::sleep(Duration::from_millis(sequence.delay_ms));
        for event in sequence.events {
            match send(&analytics, event) {
                Ok(receipt) => receipts.push(receipt),
                Err(error) => {
                    eprintln!("refused: {error}");
                    first_error.get_or_insert(error.to_string());
                }
            }
        }
    }
    let report = analytics.close_blocking(timeout);
    eprintln!("delivered {}, failed {}, pending {}", report.delivered, report.failed, report.pending);
    for end in receipts.into_iter().map(Receipt::wait) {
        first_error = first_error.or_else(|| problem(&end));
    }
    let sent_batches = analytics.stats().destinations.iter().map(|destination| destination.batches).sum();
    Ok(Outcome { first_error, sent_batches })
}

fn send(analytics: &Analytics, event: Value) -> Result<Receipt, Box<dyn Error>> {
    Ok(analytics.deliver(Event::try_from(event)?)?)
}

/// Why the event was not delivered, if it was not.
fn problem(end: &Settlement) -> Option<String> {
    let tracklane::Outcome::Dropped(reason) = end.outcome else { return None };
    let error = end.destinations.iter().find_map(|destination| destination.error.as_ref());
    Some(match error {
        Some(error) => format!("event {} was not sent ({reason}): {error}", end.message_id),
        None => format!("event {} was not sent: {reason}", end.message_id),
    })
}

fn read_script() -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--input"), Some(script)) => Ok(script),
        (Some("--input-file"), Some(path)) => {
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}").into())
        }
        _ => Err("usage: e2e_cli --input JSON | --input-file PATH".into()),
    }
}

fn settings(script: &Script) -> Builder {
    let mut settings = Analytics::builder(script.write_key.as_str());
    if let Some(host) = &script.api_host {
        settings = settings.host(host);
    }
    let config = &script.config;
    if let Some(events) = config.flush_at {
        settings = settings.flush_at(events);
    }
    if let Some(interval) = config.flush_interval {
        settings = settings.flush_interval(Duration::from_millis(interval));
    }
    if let Some(retries) = config.max_retries {
        settings = settings.max_retries(retries);
    }
    if let Some(timeout) = config.http_request_timeout {
        settings = settings.http_request_timeout(Duration::from_millis(timeout));
    }
    settings
}
