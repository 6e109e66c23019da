//! Rows per second into a server on this machine, from the call to the acknowledged row.
//!
//! `cargo bench -p tracklane-postgres`, where PostgreSQL is installed.

#[cfg(unix)]
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/server.rs"]
mod server;

fn main() {
    divan::main();
}

#[cfg(unix)]
mod into_postgres {
    use std::time::Duration;

    use divan::Bencher;
    use divan::counter::ItemsCount;
    use serde_json::json;
    use tracklane::{Analytics, Track};
    use tracklane_postgres::Postgres;

    use crate::server::Server;

    const EVENTS: usize = 20_000;
    const PATIENCE: Duration = Duration::from_secs(60);

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn twenty_thousand_events(bencher: Bencher<'_, '_>) {
        let Some(server) = Server::own() else { return };
        let warehouse = Postgres::new(server.url()).build().expect("the settings are valid");
        let builder = Analytics::builder().max_queue_size(2 * EVENTS).max_queue_bytes(1 << 30);
        let analytics = builder.plugin(warehouse).build().expect("the settings are valid");
        bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
            for number in 0..EVENTS {
                let properties =
                    json!({ "revenue": 39.95, "currency": "USD", "order_id": number, "tags": ["games", "family"] });
                let event = Track::new("Item Purchased").user_id(number).properties(properties);
                analytics.track(event).expect("there is room");
            }
            assert!(analytics.flush_blocking(PATIENCE).is_complete());
        });
    }
}
