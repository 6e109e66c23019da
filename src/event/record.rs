//! An event flat in a shared buffer, for the way from the caller's thread to the pipeline's.
//!
//! Memory that one thread allocates and another frees costs both of them; an event that is copied into a large
//! buffer, and copied out again, leaves nothing behind that crosses. The buffer is text, so its size is what the
//! queue weighs.

use super::body::Attached;
use super::fields::Present;
use super::{Event, Kind, MessageId, Object, Timestamp, spare};

/// What stands in the buffer of one event: the lengths of its parts, in the order in which they follow each other.
#[derive(Debug)]
pub(crate) struct Record {
    kind: Kind,
    message_id: MessageId,
    timestamp: Option<Timestamp>,
    fields: u32,
    present: Present,
    section: Option<u32>,
    context: u32,
    integrations: Option<u32>,
}

impl Record {
    /// Copies the event's content behind what is in `buffer`.
    pub(crate) fn pack(event: &mut Event, buffer: &mut Vec<u8>) -> Self {
        let content = &mut *event.content;
        let mut put = |object: &Object| {
            let start = buffer.len();
            object.write_members(buffer);
            // At most the event limit, which fits.
            u32::try_from(buffer.len() - start).unwrap_or(u32::MAX)
        };
        Self {
            kind: content.kind,
            message_id: std::mem::take(&mut content.message_id),
            timestamp: content.timestamp,
            fields: put(content.fields.members()),
            present: content.fields.present(),
            section: content.section().map(&mut put),
            context: put(&content.context),
            integrations: content.integrations().map(|integrations| put(integrations)),
        }
    }

    /// The event again, from the front of `buffer`, which is moved on.
    pub(crate) fn unpack(self, buffer: &mut &[u8]) -> Event {
        let mut take = |len: u32| {
            let (part, rest) = buffer.split_at_checked(len as usize).unwrap_or((buffer, &[]));
            *buffer = rest;
            part
        };
        let mut content = spare::content(self.kind);
        content.message_id = self.message_id;
        content.message_id.make_if_unset();
        content.timestamp = self.timestamp;
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

impl Event {
    /// Takes what travels beside the content.
    pub(crate) fn detach(&mut self) -> Attached {
        std::mem::take(&mut self.attached)
    }

    /// Makes an id where none was given.
    pub(crate) fn make_message_id(&mut self) {
        self.content.message_id.make_if_unset();
    }

    /// Sets the time of the call where none was given.
    pub(crate) fn stamp(&mut self, now: impl FnOnce() -> Timestamp) {
        self.content.timestamp.get_or_insert_with(now);
    }
}
