//! Writes the values of setters into an object: any value, or one that must be a number, a list or a point in time.
//!
//! Invariant: a setter never fails. A value that it cannot write becomes the object's error, and the object stays as it
//! was.

use serde::Serialize;

use super::{Form, Object, nested};
use crate::event::json::error::{JsonType, Problem, ValueError};
use crate::event::json::serializer::MAX_DEPTH;
use crate::event::json::{number, reader, serializer};
use crate::event::timestamp::{InvalidTimestamp, Timestamp};

/// The depth of a member's value.
const DEPTH: usize = 1;

impl Object {
    /// Sets `key` like [`insert`](Self::insert), and does not read the value that was there.
    pub(in crate::event) fn set(&mut self, key: &str, value: impl Serialize) {
        let written = self.write_member(key, |json| serializer::append(json, &value, DEPTH));
        self.note(key, value, written);
    }

    /// Adds a member at a path of keys, such as `["page", "title"]`, with the objects on the path that are missing. Does
    /// nothing if there is a value already, or something on the path that is no object. What else there is stays as it is,
    /// and is not parsed.
    ///
    /// A value that cannot be written as JSON is not added, and the event is refused, as [`insert`](Self::insert) says.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracklane::event::Context;
    ///
    /// let mut context = Context::from(json!({ "page": { "url": "https://shop.example/" } }));
    /// context.insert_missing_at(&["page", "title"], "Shop"); // there was none
    /// context.insert_missing_at(&["page", "url"], "another");
    /// let expected = json!({ "page": { "url": "https://shop.example/", "title": "Shop" } });
    /// assert_eq!(context, Context::from(expected));
    /// ```
    pub fn insert_missing_at(&mut self, path: &[&str], value: &(impl Serialize + ?Sized)) {
        let Some((first, rest)) = path.split_first() else { return };
        let written = self.write_missing(first, rest, |json| serializer::append(json, value, path.len()));
        if let Err(error) = written {
            self.record_error(error.below(first));
        }
    }

    /// Sets `key` to a value, or removes it if there is none.
    pub(in crate::event) fn set_if(&mut self, key: &str, value: Option<impl Serialize>) {
        match value {
            Some(value) => self.set(key, value),
            None => self.discard(key),
        }
    }

    /// Sets `key` to a value; null removes it.
    pub(in crate::event) fn set_any(&mut self, key: &str, value: impl Serialize) {
        self.set_checked(key, value, |_, _| Ok(()));
    }

    /// Sets `key` to a number; null removes it. A number in text is written as a number.
    pub(in crate::event) fn set_number(&mut self, key: &str, number: impl Serialize) {
        self.set_checked(key, number, |json, start| match json.get(start) {
            Some(b'0'..=b'9' | b'-') => Ok(()),
            Some(b'"') => number::unquote(json, start),
            other => Err(Problem::NotANumber(JsonType::from_first_byte(other))),
        });
    }

    /// Sets `key` to an array; null removes it.
    pub(in crate::event) fn set_list(&mut self, key: &str, list: impl Serialize) {
        self.set_checked(key, list, |json, start| match json.get(start) {
            Some(b'[') => Ok(()),
            other => Err(Problem::NotAList(JsonType::from_first_byte(other))),
        });
    }

    /// Sets `key` to a point in time, or removes it if there is none.
    pub(in crate::event) fn set_time(&mut self, key: &str, time: Option<Result<Timestamp, InvalidTimestamp>>) {
        match time.transpose() {
            Ok(time) => self.set_if(key, time),
            Err(error) => self.note_timestamp(key, error),
        }
    }

    /// Records that the text at `key` is not a timestamp.
    pub(in crate::event) fn note_timestamp(&mut self, key: &str, error: InvalidTimestamp) {
        self.record_error(ValueError::from(Problem::Timestamp(error)).below(key));
    }

    /// Sets `key` to a value whose text passes `check`, which gets the text and its start. Null removes the key.
    fn set_checked<T: Serialize>(
        &mut self,
        key: &str,
        value: T,
        check: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), Problem>,
    ) {
        let mut is_null = false;
        let written = self.write_member(key, |json| {
            let start = json.len();
            serializer::append(json, &value, DEPTH)?;
            is_null = json.get(start) == Some(&b'n');
            if is_null { Ok(()) } else { Ok(check(json, start)?) }
        });
        if is_null {
            self.discard(key);
        }
        self.note(key, value, written);
    }

    /// Sets `key` to the JSON text that `write` appends.
    fn write_member(
        &mut self,
        key: &str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        serializer::check_key(key)?;
        match &mut self.form {
            Form::Text(text) => text.insert(key, write)?,
            Form::Map(map) => {
                let mut json = Vec::new();
                write(&mut json)?;
                map.insert(key.to_owned(), reader::value(&json, DEPTH)?);
            }
        }
        self.use_map_if_large();
        Ok(())
    }

    /// Adds the JSON text that `write` appends at a path, unless there is a value.
    fn write_missing(
        &mut self,
        first: &str,
        rest: &[&str],
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        if rest.len() >= MAX_DEPTH {
            return Err(Problem::TooDeep.into());
        }
        rest.iter().chain([&first]).try_for_each(|key| serializer::check_key(key))?;
        match &mut self.form {
            Form::Text(text) => text.insert_missing_at(first, rest, write)?,
            Form::Map(map) => {
                if !nested::is_missing_at(map, first, rest) {
                    return Ok(());
                }
                let mut json = Vec::new();
                write(&mut json)?;
                nested::insert_missing_at(map, first, rest, reader::value(&json, rest.len() + DEPTH)?);
            }
        }
        self.use_map_if_large();
        Ok(())
    }

    /// Records the error if `value` could not be written.
    fn note<T>(&mut self, key: &str, value: T, written: Result<(), ValueError>) {
        if let Err(error) = written {
            if error.forbids_drop() {
                std::mem::forget(value);
            }
            self.record_error(error.below(key));
        }
    }
}
