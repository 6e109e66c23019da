//! A service that ends when it is told to (SIGTERM or Ctrl-C), and delivers what it has first.
//!
//! ```text
//! TRACKLANE_WRITE_KEY=KEY cargo run --example graceful_shutdown
//! ```
//!
//! The library installs no signal handler and changes no exit code: when to end is for the service to say.

use std::error::Error;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracklane::{Analytics, Track};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Box<dyn Error>> {
    let host = std::env::var("TRACKLANE_HOST").unwrap_or_else(|_| "https://api.segment.io".to_owned());
    let analytics = Analytics::builder(std::env::var("TRACKLANE_WRITE_KEY")?).host(host).build()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut requests = tokio::time::interval(Duration::from_millis(1));
    println!("serving; end it with kill -TERM {}", std::process::id());
    loop {
        tokio::select! {
            _ = requests.tick() => analytics.track(Track::new("Request Served").user_id("019mr8mf4r"))?,
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    let accepted = analytics.stats().accepted;
    // Shorter than what the service manager allows: Kubernetes kills after 30 s.
    let report = analytics.close(Duration::from_secs(20)).await;
    println!("accepted {accepted}, pending {}", report.pending);
    Ok(())
}
