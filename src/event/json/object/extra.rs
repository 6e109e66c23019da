//! Members that came in with an object as a whole, beside the setters of the Spec's keys.
//!
//! Always: two values for one key, where neither was meant to replace the other, are a conflict, whichever came first.
//! An object that got nothing this way knows nothing of it.

use serde::Serialize;

use super::{Object, ObjectFault, ValueFault};
use crate::event::json::members::members;
use crate::event::json::reader;
use crate::event::json::string::read_string;

impl Object {
    /// Adds every member of `object`, as [`extend`](Self::extend) does, but replaces nothing: a member that is here
    /// with another value is a conflict, and refused at the call.
    pub(in crate::event) fn add(&mut self, object: impl Serialize) {
        let Some(text) = self.read(object) else { return };
        for member in members(&text) {
            let (Some(key), Some(value)) = (text.get(member.key.clone()), text.get(member.value.clone())) else {
                return;
            };
            let Some(key) = read_string(key) else { return };
            match self.get(&key) {
                None => {
                    self.extend_text(text.get(member.key.start..member.value.end).unwrap_or_default());
                    self.notes.get_or_insert_default().extra.push(key.into_owned());
                }
                Some(mine) if reader::value(value, 0).is_ok_and(|value| value == mine) => {}
                Some(_) => self.note_conflict(&key),
            }
        }
    }

    /// Sets `key`, as [`insert`](Self::insert) does, but where the key came through [`add`](Self::add) with another
    /// value, that is a conflict, and refused at the call.
    pub(in crate::event) fn set(&mut self, key: &str, value: impl Serialize) {
        let extra = if self.take_over(key) { self.get(key) } else { None };
        self.insert(key, value);
        if extra.is_some() && extra != self.get(key) {
            self.note_conflict(key);
        }
    }

    /// From now on `key` is a setter's. Whether it came through [`add`](Self::add) before.
    pub(in crate::event) fn take_over(&mut self, key: &str) -> bool {
        let Some(notes) = &mut self.notes else { return false };
        let found = notes.extra.iter().position(|extra| extra == key);
        found.map(|at| notes.extra.swap_remove(at)).is_some()
    }

    fn note_conflict(&mut self, key: &str) {
        self.note(ValueFault::from(ObjectFault::Conflict).below(key));
    }
}
