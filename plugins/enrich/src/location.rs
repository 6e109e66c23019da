//! From a record of a GeoIP database to `context.location`. Vendors name the same things differently.

use std::fmt;

use maxminddb::LookupResult;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// What a member of the location is.
#[derive(Clone, Copy)]
enum Kind {
    /// Any text.
    Text,
    /// The name of a country. Some vendors have its code there.
    Country,
    /// Two capital letters.
    CountryCode,
    /// A number, or a text that is one.
    Number,
}

use Kind::{Country, CountryCode, Number, Text};

/// A member of the location, and a path to it in a record: of MaxMind and DB-IP, then of IPinfo and others. The first that
/// is there counts. `0` is the first item of a list.
const PATHS: &[(&str, Kind, &[&str])] = &[
    ("country", Country, &["country", "names", "en"]),
    ("country", Country, &["country_name"]),
    ("country", Country, &["country"]),
    ("country_code", CountryCode, &["country", "iso_code"]),
    ("country_code", CountryCode, &["country_code"]),
    ("country_code", CountryCode, &["country"]),
    ("region", Text, &["subdivisions", "0", "names", "en"]),
    ("region", Text, &["region"]),
    ("region", Text, &["region_name"]),
    ("city", Text, &["city", "names", "en"]),
    ("city", Text, &["city"]),
    ("timezone", Text, &["location", "time_zone"]),
    ("timezone", Text, &["timezone"]),
    ("timezone", Text, &["time_zone"]),
    ("latitude", Number, &["location", "latitude"]),
    ("latitude", Number, &["latitude"]),
    ("latitude", Number, &["lat"]),
    ("longitude", Number, &["location", "longitude"]),
    ("longitude", Number, &["longitude"]),
    ("longitude", Number, &["lng"]),
];

/// Members of a location at most.
const MOST: usize = 7;

/// The members of `context.location`.
#[derive(Debug)]
pub(crate) struct Location<'r>(Vec<(&'static str, Part<'r>)>);

#[derive(Clone, Copy, Debug, Serialize)]
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
    let found = record.decode::<Found<'_>>().ok().flatten().unwrap_or_default();
    let mut parts: Vec<(&str, Part<'_>)> = Vec::with_capacity(MOST);
    for ((name, kind, _), part) in PATHS.iter().zip(found.0) {
        let is_known = parts.last().is_some_and(|(last, _)| last == name);
        if let Some(part) = part.filter(|_| !is_known).and_then(|part| fitting(part, *kind)) {
            parts.push((name, part));
        }
    }
    Location(parts)
}

fn fitting(part: Part<'_>, kind: Kind) -> Option<Part<'_>> {
    match (kind, part) {
        (Number, Part::Number(number)) => Some(number),
        (Number, Part::Text(text)) => text.parse().ok(),
        (_, Part::Number(_)) => return None,
        (Text, Part::Text(text)) => return (!text.is_empty()).then_some(part),
        (Country, Part::Text(text)) => return (!text.is_empty() && !is_country_code(text)).then_some(part),
        (CountryCode, Part::Text(text)) => return is_country_code(text).then_some(part),
    }
    .filter(|number: &f64| number.is_finite())
    .map(Part::Number)
}

fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What a record has at each of the paths, read in one go.
#[derive(Default)]
struct Found<'r>([Option<Part<'r>>; PATHS.len()]);

impl<'r> Deserialize<'r> for Found<'r> {
    fn deserialize<D: Deserializer<'r>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Self::default();
        At { found: &mut found, paths: u32::MAX, steps: 0 }.deserialize(deserializer)?;
        Ok(found)
    }
}

/// A value that is so many steps into the paths whose bits are set.
struct At<'f, 'r> {
    found: &'f mut Found<'r>,
    paths: u32,
    steps: usize,
}

impl<'r> At<'_, 'r> {
    /// Returns those of the paths whose next step is this.
    fn below(&self, step: &str) -> u32 {
        PATHS.iter().enumerate().fold(0, |paths, (path, (_, _, steps))| {
            let goes_on = self.paths & 1 << path != 0 && steps.get(self.steps) == Some(&step);
            paths | u32::from(goes_on) << path
        })
    }

    /// Keeps the value for the paths that end here.
    fn keep(self, part: Part<'r>) {
        for (path, ((_, _, steps), found)) in PATHS.iter().zip(&mut self.found.0).enumerate() {
            if self.paths & 1 << path != 0 && steps.len() == self.steps {
                *found = Some(part);
            }
        }
    }
}

impl<'r> DeserializeSeed<'r> for At<'_, 'r> {
    type Value = ();

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'r> Visitor<'r> for At<'_, 'r> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'r str) -> Result<(), E> {
        self.keep(Part::Text(text));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.keep(Part::Number(number));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.keep(Part::Number(number as f64));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.keep(Part::Number(number as f64));
        Ok(())
    }

    fn visit_u128<E>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'r>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&str>()? {
            match self.below(key) {
                0 => drop(map.next_value::<IgnoredAny>()?),
                paths => map.next_value_seed(At { found: &mut *self.found, paths, steps: self.steps + 1 })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'r>>(self, mut items: A) -> Result<(), A::Error> {
        let paths = self.below("0");
        let first = At { found: &mut *self.found, paths, steps: self.steps + 1 };
        if items.next_element_seed(first)?.is_some() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }
}
