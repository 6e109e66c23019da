//! An object as the text that goes into the queue and on the wire, and how long it is.
//!
//! Invariant: members without their braces, as [`RawMembers`] has them. What was written here is trusted when it is read again.

use std::borrow::Cow;
use std::ops::Range;

use super::{Form, Object};
use crate::event::json::raw_members::RawMembers;
use crate::event::json::serializer;

impl Object {
    /// Appends the members as text, without braces.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(text) => out.extend_from_slice(text.json()),
            Form::Map(_) => out.extend_from_slice(&self.members_text()),
        }
    }

    /// The members as text, unless they are a map.
    pub(in crate::event) fn text(&self) -> Option<&[u8]> {
        match &self.form {
            Form::Text(text) => Some(text.json()),
            Form::Map(_) => None,
        }
    }

    /// Where the value at `key` stands in that text.
    pub(in crate::event) fn place(&self, key: &str) -> Option<Range<usize>> {
        match &self.form {
            Form::Text(text) => text.place(key),
            Form::Map(_) => None,
        }
    }

    /// The members as text, without braces.
    pub(crate) fn members_text(&self) -> Cow<'_, [u8]> {
        match &self.form {
            Form::Text(text) => Cow::Borrowed(text.json()),
            Form::Map(map) => {
                let mut json = Vec::new();
                if serializer::append(&mut json, map, 0).is_err() {
                    // Not checked yet: as `serde_json` writes it, which writes every map.
                    json = serde_json::to_vec(map).unwrap_or_default();
                }
                json.pop();
                if !json.is_empty() {
                    json.remove(0);
                }
                Cow::Owned(json)
            }
        }
    }

    /// How long [`members_text`](Self::members_text) is.
    pub(crate) fn members_len(&self) -> usize {
        match &self.form {
            Form::Text(text) => text.json().len(),
            Form::Map(_) => self.members_text().len(),
        }
    }

    /// How long the members are once `defaults` are merged under them.
    pub(crate) fn merged_len(&self, defaults: &Object) -> usize {
        if self.is_empty() {
            return defaults.members_len();
        }
        if defaults.is_empty() {
            return self.members_len();
        }
        if let (Form::Text(mine), Form::Text(theirs)) = (&self.form, &defaults.form)
            && mine.has_disjoint_keys(theirs)
        {
            return mine.prepended_len(theirs);
        }
        let mut merged = self.clone();
        merged.merge_under(defaults);
        merged.members_len()
    }

    /// The object with these members, which this crate wrote.
    pub(super) fn of_members(members: Vec<u8>) -> Self {
        let mut object = Self { form: Form::Text(RawMembers::of(members)), error: None };
        object.use_map_if_large();
        object
    }

    /// Becomes what the text says, which this crate wrote before, in the memory that is there.
    pub(crate) fn set_members(&mut self, members: &[u8]) {
        match &mut self.form {
            Form::Text(text) => text.set(members),
            Form::Map(_) => *self = Self { form: Form::Text(RawMembers::new(members)), error: None },
        }
    }
}
