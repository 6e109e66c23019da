//! A service that delivers its pending events before it ends on SIGTERM or Ctrl-C.
//!
//! ```text
//! cargo run --example graceful_shutdown                # then press Ctrl-C
//! cargo run --example graceful_shutdown -- URL         # sends to the tracking API at URL
//! cargo run --example graceful_shutdown -- --self      # signals itself after a moment
//! ```

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, signal};

#[tokio::main]
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
    let argument = std::env::args().nth(1);
    let api = TrackingApi::start()?;
    let url = argument.clone().filter(|argument| argument != "--self").unwrap_or_else(|| api.url());
    // A long interval, so that only the close delivers events.
    let analytics = Analytics::builder()
        .segment(Segment::new("WRITE_KEY").host(url).flush_at(1_000).flush_interval(Duration::from_secs(3600)))
        .build()?;
    analytics.on(signal::Error, |failure| eprintln!("{failure}"));

    let asked_to_end = asked_to_end()?;
    for number in 0..100 {
        analytics.track(Track::new("Job Done").user_id("worker").property("number", number))?;
    }
    println!("ready: 100 events are waiting");
    std::io::stdout().flush()?;
    if argument.as_deref() == Some("--self") {
        std::process::Command::new("kill").arg(std::process::id().to_string()).status()?;
    }
    println!("{}", asked_to_end.await);

    let report = analytics.close(Duration::from_secs(10)).await;
    println!("{} delivered, {} failed", report.delivered, report.failed);
    for event in &report.unsent {
        // The report has the events that could not be sent, so the program can store them.
        println!("unsent: {}", serde_json::to_string(&event)?);
    }
    if report.is_complete() { Ok(()) } else { Err(format!("not delivered: {:?}", analytics.stats().dropped).into()) }
}

/// Waits for a signal, and returns its name. Catches signals from the call on, not only from the first poll.
#[cfg(unix)]
fn asked_to_end() -> std::io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn asked_to_end() -> std::io::Result<impl Future<Output = &'static str>> {
    Ok(async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => "nothing to wait for",
        }
    })
}
