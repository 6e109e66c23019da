//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-enrich`. What is to be known is the difference to `without`.

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use divan::{AllocProfiler, Bencher};
use tracklane_enrich::Enrich;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn without(bencher: Bencher<'_, '_>) {
    transform::through(bencher, []);
}

#[path = "../tests/it/mmdb.rs"]
mod mmdb;

fn nothing() -> Enrich {
    Enrich::new().campaign(false).referrer(false).user_agent(false)
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn campaign_and_referrer(bencher: Bencher<'_, '_>) {
    transform::through(bencher, nothing().campaign(true).referrer(true).build());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn user_agent(bencher: Bencher<'_, '_>) {
    transform::through(bencher, nothing().user_agent(true).build());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn geoip(bencher: Bencher<'_, '_>) {
    let london = serde_json::json!({
        "city": { "names": { "de": "London", "en": "London", "fr": "Londres" } },
        "country": { "iso_code": "GB", "names": { "de": "Vereinigtes Königreich", "en": "United Kingdom" } },
        "location": { "latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London" },
        "subdivisions": [{ "iso_code": "ENG", "names": { "en": "England" } }],
    });
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), mmdb::database("GeoLite2-City", &[("81.2.69.0/24", london)])).expect("it is written");
    transform::through(bencher, nothing().geoip(file.path()).build());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn all_but_geoip(bencher: Bencher<'_, '_>) {
    transform::through(bencher, Enrich::new().metadata(true).build());
}
