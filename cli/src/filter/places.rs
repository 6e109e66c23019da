//! Where the members of an event stand in its JSON: found once, when it arrives, so that a search need not parse it.

use std::borrow::Cow;

use tracklane::Kind;
use tracklane::segment::rules::{Fields, Member};

/// The places of the members that lists show and filters ask for. 64 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    event: Place,
    name: Place,
    user_id: Place,
    anonymous_id: Place,
    message_id: Place,
    properties: Place,
    traits: Place,
    context: Place,
}

/// From where to where; empty where there is no such member.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u32,
    end: u32,
}

impl Places {
    /// Finds them. What is no object has none.
    pub(crate) fn of(raw: &[u8]) -> Self {
        Fields::parse(raw).map(|fields| Self::of_fields(raw, &fields)).unwrap_or_default()
    }

    /// Takes them from what was found already.
    pub(crate) fn of_fields(raw: &[u8], fields: &Fields<'_>) -> Self {
        Self {
            event: Place::of(raw, fields.event),
            name: Place::of(raw, fields.name),
            user_id: Place::of(raw, fields.user_id),
            anonymous_id: Place::of(raw, fields.anonymous_id),
            message_id: Place::of(raw, fields.message_id),
            properties: Place::of(raw, fields.properties),
            traits: Place::of(raw, fields.traits),
            context: Place::of(raw, fields.context),
        }
    }

    /// The name of a track, page or screen call.
    pub(crate) fn name_of<'r>(&self, raw: &'r [u8], kind: Option<Kind>) -> Option<Cow<'r, str>> {
        match kind {
            Some(Kind::Page | Kind::Screen) => self.name.member(raw).text(),
            _ => self.event.member(raw).text(),
        }
    }

    pub(crate) fn user_id<'r>(&self, raw: &'r [u8]) -> Option<Cow<'r, str>> {
        self.user_id.member(raw).id()
    }

    pub(crate) fn anonymous_id<'r>(&self, raw: &'r [u8]) -> Option<Cow<'r, str>> {
        self.anonymous_id.member(raw).id()
    }

    pub(crate) fn message_id<'r>(&self, raw: &'r [u8]) -> Option<Cow<'r, str>> {
        self.message_id.member(raw).text()
    }

    /// The JSON of a section that is remembered; `None` if it is not one of these.
    pub(super) fn section<'r>(&self, raw: &'r [u8], name: &str) -> Option<Option<&'r str>> {
        match name {
            "properties" => Some(self.properties.read(raw)),
            "traits" => Some(self.traits.read(raw)),
            "context" => Some(self.context.read(raw)),
            _ => None,
        }
    }

    /// Returns whether the byte at this place is in a section that is remembered.
    pub(super) fn is_in_a_section(&self, at: usize) -> bool {
        [self.properties, self.traits, self.context]
            .into_iter()
            .any(|place| (place.start as usize..place.end as usize).contains(&at))
    }
}

impl Place {
    fn of(raw: &[u8], member: Member<'_>) -> Self {
        let Some(text) = member.raw() else { return Self::default() };
        let start = (text.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize);
        match (u32::try_from(start), u32::try_from(start.saturating_add(text.len()))) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    fn member(self, raw: &[u8]) -> Member<'_> {
        Member::new(self.read(raw))
    }

    fn read(self, raw: &[u8]) -> Option<&str> {
        let text = raw.get(self.start as usize..self.end as usize)?;
        std::str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_their_places_as_they_are_from_the_event() {
        let raw = r#" {"event" : "Gr\u00fc\u00dfe", "userId":42,"anonymousId":"a" ,"messageId":"m-1","properties":{"a":1}, "context" : {}}"#;
        let (raw, fields) = (raw.as_bytes(), Fields::parse(raw.as_bytes()).unwrap());
        let places = Places::of(raw);
        assert_eq!(places.name_of(raw, Some(Kind::Track)), fields.event.text());
        assert_eq!(places.name_of(raw, Some(Kind::Page)), None);
        assert_eq!(places.user_id(raw).as_deref(), Some("42"));
        assert_eq!(places.anonymous_id(raw).as_deref(), Some("a"));
        assert_eq!(places.message_id(raw).as_deref(), Some("m-1"));
        assert_eq!(places.section(raw, "properties"), Some(Some(r#"{"a":1}"#)));
        assert_eq!((places.section(raw, "traits"), places.section(raw, "other")), (Some(None), None));
        assert_eq!(Places::of(b"[1]").message_id(b"[1]"), None);
        assert_eq!(size_of::<Places>(), 64);
    }
}
