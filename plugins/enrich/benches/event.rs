//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-enrich`

#[path = "../../../benches/transform/mod.rs"]
mod transform;

#[path = "../tests/it/mmdb.rs"]
mod mmdb;

use serde_json::json;
use tracklane_enrich::Enrich;

fn main() {
    let nothing = Enrich::new().campaign(false).referrer(false).user_agent(false);
    let london = json!({
        "city": { "names": { "de": "London", "en": "London", "fr": "Londres" } },
        "country": { "iso_code": "GB", "names": { "de": "Vereinigtes Königreich", "en": "United Kingdom" } },
        "location": { "latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London" },
        "subdivisions": [{ "iso_code": "ENG", "names": { "en": "England" } }],
    });
    let places = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(places.path(), mmdb::database("GeoLite2-City", &[("81.2.69.0/24", london)])).expect("it is written");
    let rows = [
        ("enrich: campaign and referrer", nothing.clone().campaign(true).referrer(true)),
        ("enrich: user agent", nothing.clone().user_agent(true)),
        ("enrich: GeoIP", nothing.clone().geoip(places.path())),
        ("enrich: all but GeoIP", Enrich::new().metadata(true)),
    ];
    transform::compare(rows.map(|(name, enrich)| (name, enrich.build().expect("the settings are valid"))));
}
