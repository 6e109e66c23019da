//! A JSON object that stays text until somebody needs a map.
//!
//! Setters append members to one buffer. So no node per key is allocated on the caller's thread and freed on another. A
//! key that is set again replaces its member, as in a map. Large objects, and objects that a plugin edits through
//! [`Object::as_map_mut`], are maps from then on. A value that JSON cannot carry is not written. The object keeps it as
//! its error, and the call refuses the event. An object that is written into another one passes its error on.

mod convert;
mod iter;
mod merge;
mod nested;
mod set;
mod text;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

pub use iter::{Iter, Keys};
pub(in crate::event) use nested::drop_iteratively;

use super::error::{JsonType, Problem, ValueError};
use super::members::members;
use super::raw_members::RawMembers;
use super::string::read_string;
use super::{reader, serializer};
use nested::merge_missing;

/// Bytes of memory that an object keeps when it is cleared.
const KEPT_BYTES: usize = 4 * 1024;

/// A JSON object: free-form keys, and any values that JSON has.
///
/// [`Properties`](crate::event::Properties), [`Traits`](crate::event::Traits), [`Context`](crate::event::Context) and
/// [`Integrations`](crate::event::Integrations) are objects with setters for the keys of the Segment Spec.
///
/// ```
/// use tracklane::event::Object;
///
/// let mut object = Object::new();
/// object.insert("plan", "Enterprise");
/// object.insert("seats", 12);
/// object.insert("plan", "Team"); // set again: replaced
/// assert_eq!(object.get("plan"), Some("Team".into()));
/// assert_eq!(serde_json::to_string(&object)?, r#"{"seats":12,"plan":"Team"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Object {
    form: Form,
    /// The first value that was refused.
    error: Option<ValueError>,
}

#[derive(Clone)]
enum Form {
    Text(RawMembers),
    Map(Map<String, Value>),
}

impl Default for Form {
    fn default() -> Self {
        Form::Text(RawMembers::default())
    }
}

impl Object {
    /// Makes an object without members. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value`, and returns the value that was there. Like [`get`](Self::get), it parses that one.
    ///
    /// A [`SystemTime`](std::time::SystemTime) is written as RFC 3339, like a [`Timestamp`](crate::event::Timestamp).
    ///
    /// Some values cannot be written as JSON: NaN, an infinity, a number that 64 bits cannot hold exactly, more than 64
    /// levels of nesting, a map with keys that are not strings. Such a value is not set. The event that holds the object
    /// is then refused at the call with an error that names the key. A value that is nested too deeply is leaked, because
    /// dropping it recursively could overflow the stack.
    pub fn insert(&mut self, key: impl AsRef<str>, value: impl Serialize) -> Option<Value> {
        let key = key.as_ref();
        let before = self.get(key);
        self.set(key, value);
        before
    }

    /// Sets every member of `members`, which must serialize as a JSON object: a section, a `serde_json` object, a
    /// struct. Other members of this object stay.
    ///
    /// Anything else, null included, is refused at the call, as [`insert`](Self::insert) says.
    pub fn insert_all(&mut self, members: impl Serialize) {
        let mut text = Vec::new();
        let outcome = serializer::append(&mut text, &members, 0).and_then(|()| match text.as_slice() {
            [b'{', inside @ .., b'}'] => Ok(inside),
            other => Err(Problem::NotAnObject(JsonType::from_first_byte(other.first())).into()),
        });
        match outcome {
            Ok(inside) => self.extend_text(inside),
            Err(error) => {
                if error.forbids_drop() {
                    std::mem::forget(members);
                }
                self.record_error(error);
            }
        }
    }

    /// Takes over the members of trusted text (see [`raw_members`](super::raw_members)).
    pub(in crate::event) fn extend_text(&mut self, text: &[u8]) {
        for member in members(text) {
            let (Some(key), Some(value)) = (text.get(member.key), text.get(member.value)) else { return };
            match &mut self.form {
                Form::Text(mine) => mine.insert_raw(key, value),
                Form::Map(map) => {
                    if let (Some(key), Ok(value)) = (read_string(key), reader::value(value, 0)) {
                        map.insert(key.into_owned(), value);
                    }
                }
            }
            self.use_map_if_large();
        }
    }

    /// Returns the value at `key`. It is parsed on every call.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        match &self.form {
            Form::Text(text) => reader::value(text.raw(key)?, 0).ok(),
            Form::Map(map) => map.get(key).cloned(),
        }
    }

    /// Returns the string at `key`; `None` if the value is not a string.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<Cow<'_, str>> {
        let text = match &self.form {
            Form::Text(text) => text,
            Form::Map(map) => return map.get(key)?.as_str().map(Cow::Borrowed),
        };
        read_string(text.raw(key)?)
    }

    /// Returns the string at a path of keys, such as `["page", "url"]`; `None` if the value there is not a string. No
    /// other value is parsed.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracklane::event::Context;
    ///
    /// let context = Context::from(json!({ "page": { "url": "https://shop.example/" } }));
    /// assert_eq!(context.get_str_at(&["page", "url"]).as_deref(), Some("https://shop.example/"));
    /// assert_eq!(context.get_str_at(&["page", "title"]), None);
    /// ```
    #[must_use]
    pub fn get_str_at(&self, path: &[&str]) -> Option<Cow<'_, str>> {
        let (first, rest) = path.split_first()?;
        let text = match &self.form {
            Form::Text(text) => text,
            Form::Map(map) => {
                let value = rest.iter().try_fold(map.get(*first)?, |value, key| value.get(key))?;
                return value.as_str().map(Cow::Borrowed);
            }
        };
        read_string(text.raw_at(first, rest)?)
    }

    /// Returns whether there is a member `key`.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        match &self.form {
            Form::Text(text) => text.contains(key),
            Form::Map(map) => map.contains_key(key),
        }
    }

    /// Removes the member `key`, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        match &mut self.form {
            Form::Text(text) => {
                let value = reader::value(text.raw(key)?, 0).ok();
                text.remove(key);
                value
            }
            Form::Map(map) => map.remove(key),
        }
    }

    /// Removes the member `key` without reading its value.
    pub(in crate::event) fn discard(&mut self, key: &str) {
        match &mut self.form {
            Form::Text(text) => text.remove(key),
            Form::Map(map) => drop(map.remove(key)),
        }
    }

    /// Returns the number of members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Text(text) => text.len(),
            Form::Map(map) => map.len(),
        }
    }

    /// Returns whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Text(text) => text.json().is_empty(),
            Form::Map(map) => map.is_empty(),
        }
    }

    /// Returns a copy as a map of `serde_json`.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        match &self.form {
            Form::Text(text) => text.to_map(),
            Form::Map(map) => map.clone(),
        }
    }

    /// Returns the object as a map to edit. It stays a map from then on, so a plugin that changes several members
    /// parses the text once.
    ///
    /// The values in the map are checked when the event is sent, or when the plugin returns.
    pub fn as_map_mut(&mut self) -> &mut Map<String, Value> {
        if let Form::Text(text) = &self.form {
            self.form = Form::Map(text.to_map());
        }
        match &mut self.form {
            Form::Map(map) => map,
            Form::Text(_) => unreachable!("made a map above"),
        }
    }

    /// Adds missing members: every member of `defaults` that this object lacks. Where both values are objects, their
    /// members are merged in the same way. Members of this object win.
    pub fn merge_under(&mut self, defaults: &Object) {
        if let Some(error) = &defaults.error {
            self.record_error(error.clone());
        }
        if let (Form::Text(mine), Form::Text(theirs)) = (&mut self.form, &defaults.form) {
            if mine.has_disjoint_keys(theirs) {
                mine.prepend(theirs);
                return;
            }
            if mine.merge(theirs, |text, keys| merge::merge(text, theirs.json(), keys)) {
                return;
            }
        }
        let below = defaults.to_map();
        merge_missing(self.as_map_mut(), below);
    }

    /// Removes everything, and keeps the memory if it is of ordinary size.
    pub(in crate::event) fn clear(&mut self) {
        match &mut self.form {
            Form::Text(text) if text.capacity() <= KEPT_BYTES && self.error.is_none() => text.set(&[], 0),
            _ => *self = Self::new(),
        }
    }

    /// Copies `other` into the memory that is there.
    pub(in crate::event) fn copy_from(&mut self, other: &Object) {
        match (&mut self.form, &other.form) {
            (Form::Text(mine), Form::Text(theirs)) => mine.copy_from(theirs),
            (mine, theirs) => *mine = theirs.clone(),
        }
        self.error.clone_from(&other.error);
    }

    /// Returns an error if a part of it cannot be part of an event.
    pub(crate) fn check(&self) -> Result<(), ValueError> {
        match (&self.error, &self.form) {
            (Some(error), _) => Err(error.clone()),
            // Text was checked when it was written.
            (None, Form::Text(_)) => Ok(()),
            (None, Form::Map(map)) => nested::check(map),
        }
    }

    /// Returns whether this is a map already.
    pub(in crate::event) fn is_map(&self) -> bool {
        matches!(self.form, Form::Map(_))
    }

    fn record_error(&mut self, error: ValueError) {
        self.error.get_or_insert(error);
    }

    fn use_map_if_large(&mut self) {
        if matches!(&self.form, Form::Text(text) if text.is_over_index_limit()) {
            self.as_map_mut();
        }
    }
}
