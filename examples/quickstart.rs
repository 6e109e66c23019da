//! The first program: six calls through a pipeline, and the events that arrived.
//!
//! ```text
//! cargo run --example quickstart                       # against a tracking API in this process
//! cargo run --example quickstart -- --write-key KEY    # against Segment (or set TRACKLANE_WRITE_KEY, TRACKLANE_HOST)
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Screen, Track, signal};

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
    let write_key = write_key();
    // Without a write key no event leaves this machine: the events go to a tracking API in this process.
    let local = if write_key.is_none() { Some(TrackingApi::start()?) } else { None };

    let mut segment = Segment::new(write_key.as_deref().unwrap_or("WRITE_KEY"));
    let host = match &local {
        Some(local) => Some(local.url()),
        None => std::env::var("TRACKLANE_HOST").ok(),
    };
    if let Some(host) = &host {
        segment = segment.host(host);
    }
    let analytics = Analytics::builder().segment(segment).build()?;

    // Listeners of `error` learn what goes wrong.
    analytics.on(signal::Error, |failure| eprintln!("error: {failure}"));

    // Every event passes through the plugins. This one adds data to all events.
    analytics
        .register(enrichment_fn("deployment", |event: &mut Event| {
            event.context_mut().insert("app", json!({ "name": "quickstart", "version": "1.0.0" }));
        }))
        .await?;

    // The six calls. None of them waits.
    analytics.identify(
        Identify::new().user_id("019mr8mf4r").with_trait("name", "Michael Bolton").with_trait("plan", "Free"),
    )?;
    analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95))?;
    analytics.page(Page::new("Pricing").category("Docs").user_id("019mr8mf4r").property("path", "/pricing"))?;
    analytics.screen(Screen::new("Welcome").anonymous_id("48d213bb-95c3-4f8d"))?;
    analytics.group(Group::new("0e8c78ea9d97a7b8185e8632").user_id("019mr8mf4r").with_trait("name", "Initech"))?;
    analytics.alias(Alias::new("48d213bb-95c3-4f8d", "019mr8mf4r"))?;

    let report = analytics.close(Duration::from_secs(10)).await;
    match &local {
        Some(local) => show(local, report.delivered),
        None => {
            let to = host.as_deref().unwrap_or("Segment");
            println!(
                "{} events delivered to {to}, {} failed, {} pending",
                report.delivered, report.failed, report.pending
            );
        }
    }
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}

fn write_key() -> Option<String> {
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--write-key" {
            return arguments.next();
        }
    }
    std::env::var("TRACKLANE_WRITE_KEY").ok()
}

fn show(local: &TrackingApi, delivered: u64) {
    let requests = local.requests();
    println!("{delivered} events delivered in {} request(s) to {}\n", requests.len(), local.url());
    for event in local.events() {
        let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
        let who = [text("userId"), text("anonymousId")].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        let what = [text("event"), text("name"), text("groupId"), text("previousId")];
        let what = what.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        println!("  {:<9} {what:<26} {who}", text("type"));
        for section in ["properties", "traits", "context"] {
            if let Some(members) = event.get(section) {
                println!("            {section}: {members}");
            }
        }
    }
    println!("\nThe same program sends to Segment: cargo run --example quickstart -- --write-key KEY");
}
