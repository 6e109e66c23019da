//! Sends events to a server on this machine as if it were ClickHouse. Runs offline:
//! `cargo run -p tracklane-clickhouse --example clickhouse`.

use std::time::{Duration, SystemTime};

use tracklane::{Analytics, Track};
use tracklane_clickhouse::ClickHouse;
use tracklane_http::testing::Server;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start([])?;
    let clickhouse = ClickHouse::new(&server.url("/"), "events");
    println!("{}\n", clickhouse.create_table());
    println!("{}\n", clickhouse.explain(Track::new("Signed Up").user_id("u1"), SystemTime::now())?);

    let analytics = Analytics::builder().plugin(clickhouse.build()?).build()?;
    analytics.track(Track::new("Item Purchased").user_id("u1").property("revenue", 39.95))?;
    analytics.close_blocking(Duration::from_secs(5));
    for request in server.requests() {
        println!("{} {}: {}", request.method, request.path, request.text()?);
    }
    Ok(())
}
