//! The snippets of docs/SETTINGS.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
fn settings_1() { // begin
use tracklane::Settings;

fn read(json: &str) -> Result<(), Box<dyn std::error::Error>> { //#
let file: Settings = serde_json::from_str(json)?;
let analytics = Settings::from_env()?.or(file).into_builder()?.build()?;
Ok(()) //#
} //#
} // end
