//! An event flat in a shared buffer, for the way from the caller's thread to the pipeline's.
//!
//! Memory that one thread allocates and another frees is slow on both. An event that is copied into a large buffer, and
//! copied out again, takes no such memory along. The buffer is text, so its length is the weight of the event in the
//! queue.

use uuid::Uuid;

use super::fields::Present;
use super::{Event, Kind, MAX_EVENT_BYTES, MessageId, Object, Timestamp, pool};

/// The lengths of one event's parts in the buffer, in their order. It is small, because the caller writes it into
/// memory that another processor read last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedEvent {
    timestamp: Option<Timestamp>,
    kind: Kind,
    present: Present,
    message_id: Option<Length>,
    fields: Length,
    section: Option<Length>,
    context: Length,
    integrations: Option<Length>,
}

/// Bytes of one part.
type Length = u16;
const _: () = assert!(MAX_EVENT_BYTES <= Length::MAX as usize, "every part of an event that is accepted fits");

impl PackedEvent {
    /// Copies the event's content behind what is in `buffer`.
    pub(crate) fn pack(event: &Event, buffer: &mut Vec<u8>) -> Self {
        let content = &*event.content;
        let message_id = match &content.message_id {
            MessageId::Unset => None,
            id => Some(append(buffer, |buffer| buffer.extend_from_slice(id.text().as_bytes()))),
        };
        let mut put = |object: &Object| append(buffer, |buffer| object.write_members(buffer));
        Self {
            timestamp: content.timestamp,
            kind: content.kind,
            present: content.fields.present(),
            message_id,
            fields: put(content.fields.members()),
            section: content.section().map(&mut put),
            context: put(&content.context),
            integrations: content.integrations().map(|integrations| put(integrations)),
        }
    }

    /// Returns the bytes that it takes in the buffer.
    pub(super) fn len(&self) -> usize {
        let parts = [self.message_id, Some(self.fields), self.section, Some(self.context), self.integrations];
        parts.into_iter().flatten().map(usize::from).sum()
    }

    /// Returns the length of the caller's id, if there is one. The id comes first.
    pub(super) fn message_id(&self) -> Option<usize> {
        self.message_id.map(usize::from)
    }

    /// Reads the event from the front of `buffer`, which is moved on. If the caller gave no id, `make_id` makes one.
    pub(crate) fn unpack(self, buffer: &mut &[u8], make_id: impl FnOnce() -> Uuid) -> Event {
        let mut take = |length: Length| {
            let (part, rest) = buffer.split_at_checked(length.into()).unwrap_or((buffer, &[]));
            *buffer = rest;
            part
        };
        let mut content = pool::take(self.kind);
        content.timestamp = self.timestamp;
        content.message_id = match self.message_id {
            None => MessageId::Made(make_id()),
            Some(given) => MessageId::Given(String::from_utf8(take(given).to_vec()).unwrap_or_default()),
        };
        content.fields.set_members(take(self.fields), self.present);
        if let Some(section) = self.section {
            content.section_mut().set_members(take(section));
        }
        content.context.set_members(take(self.context));
        if let Some(integrations) = self.integrations {
            content.integrations_mut().set_members(take(integrations));
        }
        Event::from_content(content)
    }
}

/// Appends the text that `write` writes. Returns its length.
fn append(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Length {
    let start = buffer.len();
    write(buffer);
    Length::try_from(buffer.len() - start).unwrap_or(Length::MAX)
}
