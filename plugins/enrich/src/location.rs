//! From a record of a GeoIP database to `context.location`. Vendors name the same things differently.

use maxminddb::{LookupResult, PathElement};
use serde::{Serialize, Serializer};

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

/// The members of `context.location`.
#[derive(Debug)]
pub(crate) struct Location<'r>(Vec<(&'static str, Part<'r>)>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<'r> {
    Text(&'r str),
    Number(f64),
}

impl Location<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Location<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, part)| (*name, part)))
    }
}

/// Returns the location of the record. Missing parts are left out.
pub(crate) fn location<'r>(record: &LookupResult<'r, Vec<u8>>) -> Location<'r> {
    let mut parts = Vec::with_capacity(TEXTS.len() + NUMBERS.len());
    for (name, paths) in TEXTS {
        // Some have the code where others have the name.
        let fits = |text: &&str| match *name {
            "country" => !text.is_empty() && !is_country_code(text),
            "country_code" => is_country_code(text),
            _ => !text.is_empty(),
        };
        if let Some(text) = paths.iter().filter_map(|path| text(record, path)).find(fits) {
            parts.push((*name, Part::Text(text)));
        }
    }
    for (name, paths) in NUMBERS {
        if let Some(number) = paths.iter().find_map(|path| number(record, path)) {
            parts.push((*name, Part::Number(number)));
        }
    }
    Location(parts)
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
