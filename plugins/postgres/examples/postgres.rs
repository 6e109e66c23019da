//! Shows the table and a row, and stores it where `DATABASE_URL` says. Runs offline without one:
//! `cargo run -p tracklane-postgres --example postgres`.

use std::time::Duration;

use tracklane::{Analytics, Track};
use tracklane_postgres::Postgres;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL");
    let warehouse = Postgres::new(url.as_deref().unwrap_or("postgres://localhost/analytics")).map_event(|_, row| {
        row.remove("integrations");
    });
    let purchase = || Track::new("Item Purchased").user_id("u1").property("revenue", 39.95);
    println!("{};\n\n{}", warehouse.ddl()?, warehouse.explain(purchase())?);
    if url.is_err() {
        println!("Set DATABASE_URL to store it.");
        return Ok(());
    }
    let analytics = Analytics::builder().plugin(warehouse.build()?).build()?;
    analytics.track(purchase())?;
    let report = analytics.close_blocking(Duration::from_secs(10));
    println!("{} stored, {} dropped, {} pending", report.delivered, report.dropped, report.pending);
    Ok(())
}
