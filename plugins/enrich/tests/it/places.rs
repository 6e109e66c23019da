//! Places of addresses, from databases that the tests write.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tracklane::Track;
use tracklane_enrich::{Enrich, GeoIp};

use crate::events::context;
use crate::mmdb::database;

fn maxmind(city: &str) -> Value {
    json!({
        "city": { "geoname_id": 1, "names": { "de": "x", "en": city } },
        "country": { "iso_code": "GB", "names": { "en": "United Kingdom" } },
        "location": { "latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London", "accuracy_radius": 10 },
        "subdivisions": [{ "iso_code": "ENG", "names": { "en": "England" } }, { "names": { "en": "Other" } }],
    })
}

fn file(folder: &TempDir, kind: &str, networks: &[(&str, Value)]) -> std::path::PathBuf {
    let path = folder.path().join("places.mmdb");
    std::fs::write(&path, database(kind, networks)).unwrap();
    path
}

fn location(enrich: &Enrich, sent: Value) -> Value {
    context(enrich, Track::new("Ping").user_id("u1").context(sent))["location"].clone()
}

#[test]
fn the_place_of_an_address_is_told_in_the_same_words_whoever_made_the_database() {
    let folder = TempDir::new().unwrap();
    let ipinfo = json!({ "country": "DE", "country_name": "Germany", "region": "Berlin", "city": "Berlin", "lat": "52.52", "lng": "13.40", "timezone": "Europe/Berlin" });
    let lite = json!({ "country": "France", "country_code": "FR", "continent": "Europe" });
    let country = json!({ "country": { "iso_code": "JP", "names": { "en": "Japan" } } });
    let networks = [
        ("81.2.69.0/24", maxmind("London")),
        ("85.0.0.0/8", ipinfo),
        ("90.0.0.0/8", lite),
        ("133.0.0.0/8", country),
        ("66.0.0.0/8", json!({ "asn": "AS1" })),
    ];
    let enrich = Enrich::new().geoip(file(&folder, "GeoLite2-City", &networks));
    for (ip, expected) in [
        (
            "81.2.69.160",
            json!({ "country": "United Kingdom", "country_code": "GB", "region": "England", "city": "London",
                    "latitude": 51.5142, "longitude": -0.0931, "timezone": "Europe/London" }),
        ),
        (
            "::ffff:85.1.2.3",
            json!({ "country": "Germany", "country_code": "DE", "region": "Berlin", "city": "Berlin",
                    "latitude": 52.52, "longitude": 13.40, "timezone": "Europe/Berlin" }),
        ),
        ("90.1.2.3", json!({ "country": "France", "country_code": "FR" })),
        ("133.1.2.3", json!({ "country": "Japan", "country_code": "JP" })),
        ("66.1.2.3", Value::Null),
        ("8.8.8.8", Value::Null),
        ("10.0.0.1", Value::Null),
        ("2a02:d280::1", Value::Null),
        ("not an address", Value::Null),
    ] {
        assert_eq!(location(&enrich, json!({ "ip": ip })), expected, "{ip}");
    }
    let own = json!({ "ip": "81.2.69.160", "location": { "city": "Own" } });
    assert_eq!(location(&enrich, own), json!({ "city": "Own" }), "nothing is added to it");
}

#[test]
fn a_file_that_changes_is_read_again_and_one_that_is_broken_is_not() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "GeoLite2-City", &[("81.2.69.0/24", maxmind("London"))]);
    let database = GeoIp::with_interval(&path, Duration::from_millis(5)).unwrap();
    let enrich = Enrich::new().geoip_database(&database);
    let city = || location(&enrich, json!({ "ip": "81.2.69.160" }))["city"].clone();
    assert_eq!(city(), "London");
    // Of another length, for a coarse clock would give both the same time.
    std::fs::write(&path, crate::mmdb::database("GeoLite2-City", &[("81.2.69.0/24", maxmind("Camden Town"))])).unwrap();
    let begun = Instant::now();
    while city() != "Camden Town" {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is not read again");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::write(&path, "half of a file").unwrap();
    let error = database.reload().unwrap_err();
    assert!(error.to_string().contains("places.mmdb is no GeoIP database"), "{error}");
    assert_eq!(city(), "Camden Town", "the former one counts");
    std::fs::remove_file(&path).unwrap();
    assert!(database.reload().unwrap_err().to_string().starts_with("cannot read the GeoIP database"));
    assert_eq!(city(), "Camden Town");
}

#[test]
fn a_database_that_cannot_be_used_is_an_error_that_names_it() {
    let folder = TempDir::new().unwrap();
    let asn = file(&folder, "GeoLite2-ASN", &[("81.2.69.0/24", json!({ "asn": "AS1" }))]);
    let text = folder.path().join("text.mmdb");
    std::fs::write(&text, "no database").unwrap();
    for (path, expected, cause) in [
        (asn, "places.mmdb is no GeoIP database of cities or countries", "its type is \"GeoLite2-ASN\""),
        (text, "text.mmdb is no GeoIP database", ""),
        ("/nowhere/x.mmdb".into(), "cannot read the GeoIP database /nowhere/x.mmdb", "No such file"),
    ] {
        let error = Enrich::new().geoip(path).build().unwrap_err();
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(error.to_string().contains(expected) && source.contains(cause), "{error}: {source}");
    }
}
