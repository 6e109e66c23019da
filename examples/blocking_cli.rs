//! A command-line program without an async runtime: each call returns when its event is delivered or dropped, and the
//! exit code says which.
//!
//! ```text
//! cargo run --example blocking_cli -- "Report Printed"
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "Command Run".to_owned());
    let api = TrackingApi::start()?;
    let analytics = Analytics::builder()
        .segment(Segment::new("WRITE_KEY").host(api.url()))
        .build()?
        .blocking(Duration::from_secs(10));

    let end = analytics.track(Track::new(&name).user_id("019mr8mf4r"))?;
    println!("{name}: {}, as message {}", end.outcome, end.message_id);
    Ok(())
}
