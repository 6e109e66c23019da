//! From a record of a GeoIP database to `context.location`. Vendors name the same things differently.

use maxminddb::{LookupResult, PathElement};
use serde_json::{Map, Value};

use PathElement::{Index, Key};

type Path<'a> = &'a [PathElement<'a>];

/// Members of the location that are texts, and where they stand: at MaxMind and DB-IP, then at IPinfo and others.
const TEXTS: &[(&str, &[Path<'_>])] = &[
    ("country", &[&[Key("country"), Key("names"), Key("en")], &[Key("country_name")], &[Key("country")]]),
    ("country_code", &[&[Key("country"), Key("iso_code")], &[Key("country_code")], &[Key("country")]]),
    ("region", &[&[Key("subdivisions"), Index(0), Key("names"), Key("en")], &[Key("region")], &[Key("region_name")]]),
    ("city", &[&[Key("city"), Key("names"), Key("en")], &[Key("city")]]),
    ("timezone", &[&[Key("location"), Key("time_zone")], &[Key("timezone")], &[Key("time_zone")]]),
];

/// The paths of numbers.
const NUMBERS: &[(&str, &[Path<'_>])] = &[
    ("latitude", &[&[Key("location"), Key("latitude")], &[Key("latitude")], &[Key("lat")]]),
    ("longitude", &[&[Key("location"), Key("longitude")], &[Key("longitude")], &[Key("lng")]]),
];

/// Returns the location of the record. Missing parts are left out.
pub(crate) fn location(record: &LookupResult<'_, Vec<u8>>) -> Map<String, Value> {
    let mut location = Map::new();
    for (name, paths) in TEXTS {
        // Some have the code where others have the name.
        let fits = |text: &&str| match *name {
            "country" => !text.is_empty() && !is_country_code(text),
            "country_code" => is_country_code(text),
            _ => !text.is_empty(),
        };
        if let Some(text) = paths.iter().filter_map(|path| text(record, path)).find(fits) {
            location.insert((*name).to_owned(), text.into());
        }
    }
    for (name, paths) in NUMBERS {
        if let Some(number) = paths.iter().find_map(|path| number(record, path)) {
            location.insert((*name).to_owned(), number.into());
        }
    }
    location
}

fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn text<'a>(record: &LookupResult<'a, Vec<u8>>, path: Path<'_>) -> Option<&'a str> {
    record.decode_path(path).ok().flatten()
}

/// A number, or a text that is one.
fn number(record: &LookupResult<'_, Vec<u8>>, path: Path<'_>) -> Option<f64> {
    let number = record.decode_path::<f64>(path).ok().flatten();
    number.or_else(|| text(record, path)?.parse().ok()).filter(|number| number.is_finite())
}
