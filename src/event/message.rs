//! The event in its final form: the JSON for the wire, and what the pipeline knows of it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::content::Content;
use super::fields::Present;
use super::json::{Transcode, read_string, write_string, written_len};
use super::{Context, Event, InvalidField, Kind, MAX_EVENT_BYTES, MessageId, Object, Timestamp, limits, pool};

/// An event as destinations get it: serialized once, immutable, shared by all of them. A clone shares the JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    kind: Kind,
    json: Bytes,
    parts: Parts,
}

/// What is known of the final JSON of an event, so that its parts are found without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    present: Present,
    /// With its quotes; empty if there is no id.
    message_id: Place,
    /// The members of the fields, and those of each section, without braces.
    fields: Place,
    section: Place,
    context: Place,
    integrations: Place,
}

/// A part of a text of at most [`MAX_EVENT_BYTES`]. Many messages wait, so it is small.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    start: u16,
    end: u16,
}

const _: () = assert!(MAX_EVENT_BYTES <= u16::MAX as usize, "every place in a message fits");

impl Place {
    /// The place of a section that is not there. The text begins with a brace, so that no section does.
    const ABSENT: Place = Place { start: 0, end: 0 };

    /// The place of what `write` appends. In a text that is too long to be a message it is any.
    fn of(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let at = |out: &Vec<u8>| u16::try_from(out.len()).unwrap_or(u16::MAX);
        let start = at(out);
        write(out);
        Self { start, end: at(out) }
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl Message {
    /// Returns the call that made the event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the event's `messageId`, the same in every attempt.
    #[must_use]
    pub fn message_id(&self) -> Cow<'_, str> {
        read_string(self.part(self.parts.message_id)).unwrap_or_default()
    }

    /// Returns the event's UUID, which is derived from its `messageId`: see [`message_uuid`](super::message_uuid).
    #[must_use]
    pub fn uuid(&self) -> String {
        super::message_uuid(&self.message_id())
    }

    /// Returns the event as one JSON object in UTF-8, in Segment's form, at most [`MAX_EVENT_BYTES`].
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Returns the event, to read its parts. That copies them, and parses nothing but its time.
    #[must_use]
    pub fn event(&self) -> Event {
        let mut content = pool::take(self.kind);
        content.timestamp = self.timestamp();
        if !self.parts.message_id.is_empty() {
            content.message_id = MessageId::Given(self.message_id().into_owned());
        }
        content.fields.set_members(self.part(self.parts.fields), self.parts.present);
        if self.parts.section != Place::ABSENT {
            content.section_mut().set_members(self.part(self.parts.section));
        }
        content.context.set_members(self.part(self.parts.context));
        if self.parts.integrations != Place::ABSENT {
            content.integrations_mut().set_members(self.part(self.parts.integrations));
        }
        Event::from_content(content)
    }

    /// Reads the time, which stands behind the id.
    fn timestamp(&self) -> Option<Timestamp> {
        let behind = self.json.get(self.parts.message_id.end.into()..)?.strip_prefix(br#","timestamp":""#)?;
        std::str::from_utf8(behind.get(..Timestamp::LEN)?).ok()?.parse().ok()
    }

    fn part(&self, place: Place) -> &[u8] {
        self.json.get(place.start.into()..place.end.into()).unwrap_or_default()
    }

    /// Returns the JSON again, without memory of its own.
    pub(crate) fn shared_json(&self) -> Bytes {
        self.json.clone()
    }
}

/// Serializes as its JSON, in any format.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Transcode(&self.json).serialize(serializer)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("type", &self.kind)
            .field("message_id", &self.message_id())
            .field("bytes", &self.json.len())
            .finish_non_exhaustive()
    }
}

impl Event {
    /// Writes the event in its final form, its context merged over `defaults`. `bytes` is its length before its plugins.
    ///
    /// # Errors
    ///
    /// Returns an error if plugins have made the event one that cannot be sent.
    pub(crate) fn seal(&mut self, bytes: u32, defaults: &Context) -> Result<Message, InvalidField> {
        limits::check(self)?;
        let context = match &mut self.content.context {
            none if none.is_empty() => defaults,
            context => {
                context.merge_under(defaults);
                &self.content.context
            }
        };
        let len = self.text_len(context).unwrap_or(bytes as usize);
        let mut json = Vec::with_capacity(len);
        let parts = self.content.write_json(context, &mut json);
        if json.len() > MAX_EVENT_BYTES {
            return Err(InvalidField::TooLarge { bytes: json.len() });
        }
        Ok(Message { kind: self.kind(), json: json.into_boxed_slice().into(), parts })
    }

    /// The event as it is now, without the default context.
    pub(crate) fn json(&self) -> Vec<u8> {
        self.content.json()
    }

    /// Returns the length of the event's final JSON, if no plugin changes it.
    pub(crate) fn final_len(&self, defaults: &Context) -> usize {
        self.len_with(self.content.context.merged_len(defaults))
    }

    /// Returns the length of the event's JSON with `context`, unless a part of it is a map: to measure that is to write it.
    fn text_len(&self, context: &Context) -> Option<usize> {
        let content = &self.content;
        let parts = [content.fields.members(), &content.section, context, &content.integrations];
        (!parts.into_iter().any(Object::is_map)).then(|| self.len_with(context.members_len()))
    }

    /// Returns the length of the event's JSON with a context whose members have this length.
    // Always inlined, because a call of `track` measures its event.
    #[inline(always)]
    fn len_with(&self, context: usize) -> usize {
        let content = &self.content;
        let message_id = match &content.message_id {
            MessageId::Given(id) => written_len(id) - 2,
            MessageId::Unset | MessageId::Made(_) => MessageId::MADE_LEN,
        };
        let frame = br#"{"type":"","messageId":"","timestamp":""}"#.len() + Timestamp::LEN;
        let comma = |len: usize| if len == 0 { 0 } else { len + 1 };
        let section = |name: &str, len: usize| br#","":{}"#.len() + name.len() + len;
        frame
            + content.kind.as_str().len()
            + message_id
            + comma(content.fields.members().members_len())
            + content.section().map_or(0, |object| section(content.kind.section(), object.members_len()))
            + if context == 0 { 0 } else { section("context", context) }
            + content.integrations().map_or(0, |object| section("integrations", object.members_len()))
    }
}

impl Content {
    /// What it says as JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut json = Vec::new();
        self.write_json(&self.context, &mut json);
        json
    }

    /// Writes it with `context` in place of its own.
    fn write_json(&self, context: &Context, out: &mut Vec<u8>) -> Parts {
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.push(b'"');
        if self.message_id != MessageId::Unset {
            out.extend_from_slice(b",\"messageId\":");
        }
        let message_id = Place::of(out, |out| write_message_id(&self.message_id, out));
        if let Some(timestamp) = self.timestamp {
            out.extend_from_slice(b",\"timestamp\":\"");
            timestamp.write(out);
            out.push(b'"');
        }
        if !self.fields.members().is_empty() {
            out.push(b',');
        }
        let fields = Place::of(out, |out| self.fields.members().write_members(out));
        let section = write_section(self.kind.section(), self.section(), out);
        let context = write_section("context", Some(&**context).filter(|context| !context.is_empty()), out);
        let integrations = write_section("integrations", self.integrations().map(|integrations| &**integrations), out);
        out.push(b'}');
        Parts { present: self.fields.present(), message_id, fields, section, context, integrations }
    }
}

fn write_message_id(id: &MessageId, out: &mut Vec<u8>) {
    match id {
        MessageId::Unset => {}
        MessageId::Made(uuid) => {
            let mut text = uuid::Uuid::encode_buffer();
            out.push(b'"');
            out.extend_from_slice(uuid.hyphenated().encode_lower(&mut text).as_bytes());
            out.push(b'"');
        }
        MessageId::Given(given) => write_string(out, given),
    }
}

/// Returns the place of the members.
fn write_section(name: &str, object: Option<&Object>, out: &mut Vec<u8>) -> Place {
    let Some(object) = object else { return Place::ABSENT };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":{");
    let members = Place::of(out, |out| object.write_members(out));
    out.push(b'}');
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gives_back_the_event_that_it_was_made_of() {
        let defaults = Context::new().with("app", "shop").with("library", serde_json::json!({"name": "l"}));
        for json in [
            r#"{"type":"track","event":"E","userId":"u"}"#,
            r#"{"type":"track","messageId":"m\n\"\u00e9","event":"E","userId":"u","properties":{},"context":{"app":"own"}}"#,
            r#"{"type":"track","event":"E","anonymousId":"a","properties":{"p":[1,{"q":"}"}]},"integrations":{"all":false}}"#,
            r#"{"type":"identify","userId":"u","more":{"a":1},"properties":{"of":"another"},"traits":{"n":1.5}}"#,
            r#"{"type":"group","groupId":"g","userId":"u","context":{"page":{"path":"/"}},"integrations":{}}"#,
        ] {
            for defaults in [&defaults, &Context::new()] {
                let mut event = Event::from_json(json.as_bytes()).unwrap();
                event.make_message_id();
                event.stamp(|| Timestamp::from_unix_millis(0));
                let message = event.seal(0, defaults).unwrap();
                let mut back = message.event();
                assert_eq!(back, Event::from_json(message.json()).unwrap(), "{message:?} of {json}");
                assert_eq!(back.message_id(), message.message_id());
                assert!(back.user_id().is_some() || back.anonymous_id().is_some(), "{json}");
                assert_eq!(back.seal(0, &Context::new()).unwrap(), message, "{json}");
            }
        }
    }
}
