//! An object as text for the queue and the wire, and its length.
//!
//! Invariant: the text has the members without their braces, like [`RawMembers`]. Text that was written here is trusted
//! when it is read again.

use std::borrow::Cow;
use std::ops::Range;

use super::{Form, Object, merge};
use crate::event::json::raw_members::{RawMembers, filter_of_unread};
use crate::event::json::rewrite::KnownMembers;
use crate::event::json::serializer;

impl Object {
    /// Appends the object as JSON. That copies text, where `serde_json::to_writer` would read every value.
    ///
    /// ```
    /// use tracklane::event::Properties;
    ///
    /// let mut json = Vec::new();
    /// Properties::new().currency("EUR").write_json(&mut json);
    /// assert_eq!(json, br#"{"currency":"EUR"}"#);
    /// ```
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_members(out);
        out.push(b'}');
    }

    /// Appends the members as text, without braces.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(text) => out.extend_from_slice(text.json()),
            Form::Map(_) => out.extend_from_slice(&self.members_text()),
        }
    }

    /// Returns the members as text, unless they are a map.
    pub(in crate::event) fn text(&self) -> Option<&[u8]> {
        match &self.form {
            Form::Text(text) => Some(text.json()),
            Form::Map(_) => None,
        }
    }

    /// Returns the place of the value at `key` in that text.
    pub(in crate::event) fn place(&self, key: &str) -> Option<Range<usize>> {
        match &self.form {
            Form::Text(text) => text.place(key),
            Form::Map(_) => None,
        }
    }

    /// Returns the members as text, without braces.
    pub(crate) fn members_text(&self) -> Cow<'_, [u8]> {
        match &self.form {
            Form::Text(text) => Cow::Borrowed(text.json()),
            Form::Map(map) => {
                let mut json = Vec::new();
                if serializer::append(&mut json, map, 0).is_err() {
                    // Not checked yet. `serde_json` can write every map.
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

    /// Returns the length of [`members_text`](Self::members_text).
    pub(crate) fn members_len(&self) -> usize {
        match &self.form {
            Form::Text(text) => text.json().len(),
            Form::Map(_) => self.members_text().len(),
        }
    }

    /// Returns the length of the members once `defaults` are merged under them.
    pub(crate) fn merged_len(&self, defaults: &Object) -> usize {
        // Most calls have no context of their own.
        if self.is_empty() {
            return defaults.members_len();
        }
        self.merged_len_of_members(defaults)
    }

    /// Returns the same of an object that is not empty.
    #[inline(never)]
    fn merged_len_of_members(&self, defaults: &Object) -> usize {
        if defaults.is_empty() {
            return self.members_len();
        }
        if let (Form::Text(mine), Form::Text(theirs)) = (&self.form, &defaults.form) {
            if mine.has_disjoint_keys(theirs) {
                return mine.prepended_len(theirs);
            }
            if let Some(added) = merge::added_len(mine.json(), theirs.json(), mine.keys()) {
                return mine.json().len() + added;
            }
        }
        let mut merged = self.clone();
        merged.merge_under(defaults);
        merged.members_len()
    }

    /// Makes the object with these members, which this crate wrote.
    pub(super) fn of_members(members: Vec<u8>) -> Self {
        let mut object = Self { form: Form::Text(RawMembers::of(members)), error: None };
        object.use_map_if_large();
        object
    }

    /// Takes over the text, which this crate wrote before, into the memory that is there.
    pub(crate) fn set_members(&mut self, members: &[u8]) {
        self.set_known_members(&KnownMembers { text: members, keys: filter_of_unread(members) });
    }

    /// The same with the filter of its keys.
    pub(in crate::event) fn set_known_members(&mut self, members: &KnownMembers<'_>) {
        if self.is_map() {
            *self = Self::new();
        }
        if let Form::Text(text) = &mut self.form {
            text.set(members.text, members.keys);
        }
    }
}
