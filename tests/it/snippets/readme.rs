//! The snippets of README.md that need more than the page shows: see [`snippets`](super).

#[rustfmt::skip]
mod readme_1 { // begin
use tracklane::plugin::enrichment_fn;
use tracklane::{Analytics, Event, Kind};

#[tokio::main(flavor = "current_thread")] //#
async fn main() -> Result<(), Box<dyn std::error::Error>> { //#
let analytics = Analytics::new("WRITE_KEY")?; //#
let lowercase = enrichment_fn("Lowercase events", |event: &mut Event| {
    let name = event.name().unwrap_or_default().to_lowercase();
    event.set_name(&name);
})
.only([Kind::Track]);

analytics.register(lowercase).await?;
Ok(()) //#
} //#
} // end
