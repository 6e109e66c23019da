//! Sends events that are planned and events that are not. Runs offline: `cargo run -p tracklane-plan --example plan`.

use std::time::Duration;

use tracklane::plugin::{Batch, Destination};
use tracklane::{Analytics, Kind, Track};
use tracklane_plan::{Action, Policy, TrackingPlan};

const PLAN: &str = r#"{"name": "Shop", "rules": [{"type": "TRACK", "key": "Order Completed", "jsonSchema": {
    "type": "object", "properties": {"properties": {
        "type": "object", "required": ["total"], "properties": {"total": {"type": "number", "minimum": 0}}
    }}
}}]}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("tracklane-plan-{}.json", std::process::id()));
    std::fs::write(&path, PLAN)?;
    let plan = TrackingPlan::new(&path)
        .policy(Kind::Track, Policy::new().unplanned_events(Action::Block).unplanned_properties(Action::Omit));
    let report = plan.report();
    let console = Destination::from_fn("Console", |batch: Batch| async move {
        batch.messages().for_each(|message| println!("{}", String::from_utf8_lossy(message.json())));
        Ok::<(), std::io::Error>(())
    });
    let analytics = Analytics::builder().plugin(plan.build()?).plugin(console).build()?;
    analytics.track(Track::new("Order Completed").user_id("u1").property("total", 39.95))?;
    analytics.track(Track::new("Order Completed").user_id("u1").property("total", "much").property("note", "gift"))?;
    analytics.track(Track::new("Order Cancelled").user_id("u1"))?;
    analytics.close_blocking(Duration::from_secs(5));
    println!("\n{report}");
    std::fs::remove_file(path)?;
    Ok(())
}
