//! The subject of a filter: an event and what is known of it, parsed at most once and only if a term needs it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tracklane::Kind;
use tracklane_ingest::rules::Finding;

use super::{MemberPath, Places};

/// One event, as a filter sees it.
pub(crate) struct Subject<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) kind: Option<Kind>,
    pub(crate) key: Option<&'a str>,
    pub(crate) findings: &'a [Finding],
    /// How far the event came, by an inspector.
    pub(crate) path_state: Option<&'a str>,
    places: OnceCell<Places>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(raw: &'a [u8], kind: Option<Kind>) -> Self {
        Self { raw, kind, key: None, findings: &[], path_state: None, places: OnceCell::new() }
    }

    /// An event whose members were found before.
    pub(crate) fn with_places(raw: &'a [u8], kind: Option<Kind>, places: Places) -> Self {
        Self { places: OnceCell::from(places), ..Self::new(raw, kind) }
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(self.raw))
    }

    /// The name of a track, page or screen call.
    pub(crate) fn name(&self) -> Option<Cow<'a, str>> {
        self.places().name_of(self.raw, self.kind)
    }

    pub(super) fn user_id(&self) -> Option<Cow<'a, str>> {
        self.places().user_id(self.raw)
    }

    pub(super) fn anonymous_id(&self) -> Option<Cow<'a, str>> {
        self.places().anonymous_id(self.raw)
    }

    pub(super) fn message_id(&self) -> Option<Cow<'a, str>> {
        self.places().message_id(self.raw)
    }

    /// The JSON at a path. A name alone is looked for in the properties and traits, too.
    pub(super) fn member(&self, path: &MemberPath) -> Option<&'a str> {
        // Without `\u0061`, a member that is not in the text is not in the event.
        let is_plain = memchr::memchr_iter(b'\\', self.raw).all(|at| self.raw.get(at + 1) != Some(&b'u'));
        if is_plain && !path.may_be_in(self.raw) {
            return None;
        }
        let (first, rest) = path.names.split_first()?;
        let places = self.places();
        if let Some(section) = places.section(self.raw, first) {
            return lookup(section?, rest);
        }
        let is_in_a_section = || is_plain && path.is_only(self.raw, |at| places.is_in_a_section(at));
        if !rest.is_empty() || !is_in_a_section() {
            let found = lookup(std::str::from_utf8(self.raw).ok()?, &path.names);
            if found.is_some() || !rest.is_empty() {
                return found;
            }
        }
        let sections = ["properties", "traits"].into_iter();
        sections.filter_map(|name| places.section(self.raw, name)?).find_map(|section| lookup(section, &path.names))
    }
}

/// The JSON at a path of names, or numbers in arrays.
pub(crate) fn lookup<'a>(json: &'a str, path: &[String]) -> Option<&'a str> {
    path.iter().try_fold(json, |json, name| {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Find(name).deserialize(&mut deserializer).ok()?.map(RawValue::get)
    })
}

struct Find<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Key(name)) = members.next_key()? {
            if name == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.parse::<usize>().ok();
        let (mut index, mut found) = (0, None);
        while let Some(element) = elements.next_element::<&RawValue>()? {
            if Some(index) == wanted {
                found = Some(element);
            }
            index += 1;
        }
        Ok(found)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
