//! The common fields of an event that are strings, as members of its JSON.
//!
//! Invariant: a bit says of each known field whether it is set, so that the check of a call never reads the text.

use std::borrow::Cow;

use super::{InvalidTimestamp, Object};

/// A field that the Spec knows, for all kinds or for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    UserId,
    AnonymousId,
    GroupId,
    PreviousId,
    Event,
    Name,
    Category,
}

impl Field {
    const ALL: [Field; 7] = [
        Field::UserId,
        Field::AnonymousId,
        Field::GroupId,
        Field::PreviousId,
        Field::Event,
        Field::Name,
        Field::Category,
    ];

    /// The name on the wire.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Field::UserId => "userId",
            Field::AnonymousId => "anonymousId",
            Field::GroupId => "groupId",
            Field::PreviousId => "previousId",
            Field::Event => "event",
            Field::Name => "name",
            Field::Category => "category",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

#[derive(Clone, Default)]
pub(super) struct Fields {
    members: Object,
    /// One bit per [`Field`] that there is.
    present: Present,
}

/// Which fields there are, as it travels with the text of [`Fields::members`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present(u8);

impl Fields {
    /// Becomes the fields that `members` is the text of.
    pub(super) fn set_members(&mut self, members: &[u8], present: Present) {
        self.members.set_members(members);
        self.present = present;
    }

    /// Becomes what `other` is, in the memory that is there.
    pub(super) fn copy_from(&mut self, other: &Fields) {
        self.members.copy_from(&other.members);
        self.present = other.present;
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.present.0 & field.bit() != 0
    }

    pub(super) fn get(&self, field: Field) -> Option<Cow<'_, str>> {
        if self.has(field) { self.members.get_str(field.as_str()) } else { None }
    }

    /// Sets a field; an empty value takes it away.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        if value.is_empty() {
            self.members.discard(field.as_str());
            self.present.0 &= !field.bit();
        } else {
            self.members.set(field.as_str(), value);
            self.present.0 |= field.bit();
        }
    }

    /// Sets the member `name`, which is trusted text (see [`json`](super::json)).
    pub(super) fn set_text(&mut self, name: &[u8], member: &[u8]) {
        self.members.extend_text(member);
        let known = Field::ALL.into_iter().filter(|field| field.as_str().as_bytes() == name);
        known.for_each(|field| self.present.0 |= field.bit());
    }

    /// Notes that the timestamp is none.
    pub(super) fn note_timestamp(&mut self, error: InvalidTimestamp) {
        self.members.note_timestamp("timestamp", error);
    }

    /// Keeps a member that the Spec does not know.
    pub(super) fn keep(&mut self, key: &str, value: impl serde::Serialize) {
        self.members.set(key, value);
    }

    /// Takes everything out, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.present = Present::default();
    }

    pub(super) fn members(&self) -> &Object {
        &self.members
    }

    pub(super) fn present(&self) -> Present {
        self.present
    }
}
