//! The crate `segment`: the caller serialises the events, and waits for a request whenever a batch is full.

use std::error::Error;
use std::time::{Duration, Instant};

use segment::message::{Track, User};
use segment::{AutoBatcher, Batcher, HttpClient};
use serde_json::Value;

use crate::item_purchased::{NAME, properties};
use crate::loopback::meter::Meter;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario::Scenario;
use crate::loopback::timing::{self, Inputs};

fn event(user_id: impl ToString) -> Track {
    let user = User::UserId { user_id: user_id.to_string() };
    Track { user, event: NAME.to_owned(), properties: Value::Object(properties()), ..Track::default() }
}

/// The crate fills batches up to 500 KB. For smaller batches its user flushes.
pub(crate) fn run<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Like its own default, which cannot have another host.
    let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build()?;
    let client = HttpClient::new(http, url.to_owned());
    let mut batcher = AutoBatcher::new(client, Batcher::new(None), "WRITE_KEY".to_owned());
    runtime.block_on(async {
        batcher.push(event("first")).await?;
        batcher.flush().await?;
        match scenario.calls {
            None => send(&mut batcher, scenario).await,
            Some(_) => time(&mut batcher, scenario).await,
        }
    })
}

async fn send<S>(batcher: &mut AutoBatcher, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let meter = Meter::start();
    for number in 0..scenario.events {
        push(batcher, event(number), number, scenario).await?;
    }
    batcher.flush().await?;
    Ok(meter.report())
}

async fn time<S>(batcher: &mut AutoBatcher, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let inputs = Inputs::new(scenario.calls.unwrap_or_default(), 0..scenario.events, event);
    let mut calls = Vec::with_capacity(scenario.events as usize);
    for (number, event) in (0..).zip(inputs) {
        let before = Instant::now();
        push(batcher, event, number, scenario).await?;
        calls.push(before.elapsed().as_nanos() as u64);
    }
    batcher.flush().await?;
    Ok(timing::report(calls))
}

async fn push<S>(batcher: &mut AutoBatcher, event: Track, number: u64, scenario: &Scenario<S>) -> segment::Result<()> {
    batcher.push(event).await?;
    if (number + 1).is_multiple_of(scenario.flush_at as u64) { batcher.flush().await } else { Ok(()) }
}
