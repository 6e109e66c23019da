//! The snippets of docs/SETTINGS.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn settings_1() -> Result<(), tracklane::SettingsError> { // begin
use std::time::Duration;
use tracklane::Analytics;
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;

let segment = Segment::new("WRITE_KEY").flush_interval(Duration::from_secs(5)).retry(RetryPolicy::new().max_retries(3));
let analytics = Analytics::builder().segment(segment).max_queue_size(50_000).build()?;
Ok(()) //#
} // end

#[rustfmt::skip]
fn settings_2() { // begin
use tracklane::Settings;

fn read(json: &str) -> Result<(), Box<dyn std::error::Error>> { //#
let file: Settings = serde_json::from_str(json)?;
let analytics = Settings::from_env()?.or(file).into_builder()?.build()?;
Ok(()) //#
} //#
} // end
