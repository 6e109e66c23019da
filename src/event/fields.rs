//! The common fields of an event that are strings, as members of its JSON.
//!
//! Invariant: one bit per known field says whether it is set. So the check of a call never reads the text.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

use super::json::read_string;
use super::{InvalidTimestamp, Object};

/// A field of the Spec, for all kinds or for some.
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
    /// One bit per [`Field`] that is set.
    present: Present,
    places: Places,
}

/// The places of fields that were read, in the text of [`Fields::members`]. So the name is searched once, even if ten
/// plugins read it. Each place is its start and end, of 16 bits each; zero if nobody has looked.
#[derive(Default)]
struct Places([AtomicU32; Field::ALL.len()]);

impl Places {
    fn get(&self, field: Field) -> Option<(usize, usize)> {
        let place = self.0.get(field as usize)?.load(Ordering::Relaxed);
        (place != 0).then_some((place as usize >> 16, place as usize & 0xffff))
    }

    fn set(&self, field: Field, start: usize, end: usize) {
        if let (Some(place), Ok(start), Ok(end)) =
            (self.0.get(field as usize), u16::try_from(start), u16::try_from(end))
        {
            place.store(u32::from(start) << 16 | u32::from(end), Ordering::Relaxed);
        }
    }
}

/// A copy starts without places.
impl Clone for Places {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The fields that are set. It travels with the text of [`Fields::members`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Present(u8);

impl Fields {
    /// Takes over the fields whose text `members` is.
    pub(super) fn set_members(&mut self, members: &[u8], present: Present) {
        self.edit().set_members(members);
        self.present = present;
    }

    /// Copies `other` into the memory that is there.
    pub(super) fn copy_from(&mut self, other: &Fields) {
        self.edit().copy_from(&other.members);
        self.present = other.present;
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.present.0 & field.bit() != 0
    }

    pub(super) fn get(&self, field: Field) -> Option<Cow<'_, str>> {
        if !self.has(field) {
            return None;
        }
        let Some(text) = self.members.text() else { return self.members.get_str(field.as_str()) };
        let (start, end) = self.places.get(field).or_else(|| {
            let value = self.members.place(field.as_str())?;
            self.places.set(field, value.start, value.end);
            Some((value.start, value.end))
        })?;
        read_string(text.get(start..end)?)
    }

    /// Returns the members to change. What is known of their places is forgotten.
    fn edit(&mut self) -> &mut Object {
        self.places = Places::default();
        &mut self.members
    }

    /// Sets a field. An empty value removes it.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        if value.is_empty() {
            self.edit().discard(field.as_str());
            self.present.0 &= !field.bit();
        } else {
            self.edit().set(field.as_str(), value);
            self.present.0 |= field.bit();
        }
    }

    /// Sets a member that is no [`Field`], from trusted text (see [`json`](super::json)).
    pub(super) fn set_text(&mut self, member: &[u8]) {
        self.edit().extend_text(member);
    }

    /// Records the error of a timestamp.
    pub(super) fn note_timestamp(&mut self, error: InvalidTimestamp) {
        self.edit().note_timestamp("timestamp", error);
    }

    /// Keeps a member that the Spec does not know.
    pub(super) fn keep(&mut self, key: &str, value: impl serde::Serialize) {
        self.edit().set(key, value);
    }

    /// Removes everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.edit().clear();
        self.present = Present::default();
    }

    pub(super) fn members(&self) -> &Object {
        &self.members
    }

    pub(super) fn present(&self) -> Present {
        self.present
    }
}
