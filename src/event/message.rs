//! The event in its final form: the JSON for the wire, and what the pipeline knows of it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::content::Content;
use super::json::{Transcode, read_string, write_string, written_len};
use super::{Context, Event, InvalidField, Kind, MAX_EVENT_BYTES, MessageId, Object, Timestamp, limits};

/// An event as destinations get it: serialized once, immutable, shared by all of them. A clone shares the JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    kind: Kind,
    json: Bytes,
    /// The place of the id in the JSON, with its quotes.
    message_id: Range<usize>,
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
        self.json.get(self.message_id.clone()).and_then(read_string).unwrap_or_default()
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

    /// Parses the event, to read its parts.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::of_final_form(self.kind, &self.json)
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
        let message_id = self.write_json(context, &mut json);
        if json.len() > MAX_EVENT_BYTES {
            return Err(InvalidField::TooLarge { bytes: json.len() });
        }
        Ok(Message { kind: self.kind(), json: json.into_boxed_slice().into(), message_id })
    }

    /// Writes the event with `context` in place of its own. Returns the place of the id, with its quotes.
    pub(super) fn write_json(&self, context: &Context, out: &mut Vec<u8>) -> Range<usize> {
        self.content.write_json(context, out)
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

    fn write_json(&self, context: &Context, out: &mut Vec<u8>) -> Range<usize> {
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.push(b'"');
        let message_id = write_message_id(&self.message_id, out);
        if let Some(timestamp) = self.timestamp {
            out.extend_from_slice(b",\"timestamp\":\"");
            timestamp.write(out);
            out.push(b'"');
        }
        if !self.fields.members().is_empty() {
            out.push(b',');
            self.fields.members().write_members(out);
        }
        write_section(self.kind.section(), self.section(), out);
        write_section("context", Some(context).filter(|context| !context.is_empty()).map(|context| &**context), out);
        write_section("integrations", self.integrations().map(|integrations| &**integrations), out);
        out.push(b'}');
        message_id
    }
}

fn write_message_id(id: &MessageId, out: &mut Vec<u8>) -> Range<usize> {
    if *id == MessageId::Unset {
        return 0..0;
    }
    out.extend_from_slice(b",\"messageId\":");
    let start = out.len();
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
    start..out.len()
}

fn write_section(name: &str, object: Option<&Object>, out: &mut Vec<u8>) {
    let Some(object) = object else { return };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":{");
    object.write_members(out);
    out.push(b'}');
}
