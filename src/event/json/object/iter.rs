//! Iterates over the members of an object, and parses each when it is reached.

use std::borrow::Cow;
use std::fmt;
use std::iter::FusedIterator;

use serde::Serialize;
use serde_json::{Map, Value, map};

use super::{Form, Object};
use crate::event::json::members::{Members, members};
use crate::event::json::reader;
use crate::event::json::string::read_string;

/// The iterator over an [`Object`]'s members, in their order.
#[derive(Clone)]
pub struct Iter<'o>(Walk<'o>);

#[derive(Clone)]
enum Walk<'o> {
    Text { text: &'o [u8], members: Members<'o> },
    Map(map::Iter<'o>),
}

/// The iterator over an [`Object`]'s keys, in their order.
#[derive(Clone)]
pub struct Keys<'o>(Walk<'o>);

impl Object {
    /// Returns the members in their order. Each value is parsed when the iteration reaches it.
    ///
    /// ```
    /// use tracklane::event::Properties;
    ///
    /// let properties = Properties::new().revenue(39.95).currency("EUR");
    /// let numbers = properties.iter().filter(|(_, value)| value.is_number()).count();
    /// assert_eq!(numbers, 1);
    /// ```
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.walk())
    }

    /// Returns the keys in their order. No value is read.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys(self.walk())
    }

    fn walk(&self) -> Walk<'_> {
        match &self.form {
            Form::Text(text) => Walk::Text { text: text.json(), members: members(text.json()) },
            Form::Map(map) => Walk::Map(map.iter()),
        }
    }
}

impl<'o> Iterator for Iter<'o> {
    type Item = (Cow<'o, str>, Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Text { text, members } => {
                let member = members.next()?;
                Some((read_string(text.get(member.key)?)?, reader::value(text.get(member.value)?, 0).ok()?))
            }
            Walk::Map(members) => members.next().map(|(key, value)| (Cow::Borrowed(key.as_str()), value.clone())),
        }
    }
}

impl<'o> Iterator for Keys<'o> {
    type Item = Cow<'o, str>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Text { text, members } => read_string(text.get(members.next()?.key)?),
            Walk::Map(members) => members.next().map(|(key, _)| Cow::Borrowed(key.as_str())),
        }
    }
}

impl FusedIterator for Iter<'_> {}
impl FusedIterator for Keys<'_> {}

/// Shows no member, because they are personal data.
impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// Shows no key, because they are personal data.
impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl<'o> IntoIterator for &'o Object {
    type Item = (Cow<'o, str>, Value);
    type IntoIter = Iter<'o>;

    fn into_iter(self) -> Iter<'o> {
        self.iter()
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = map::IntoIter;

    fn into_iter(mut self) -> map::IntoIter {
        let map: Map<String, Value> = std::mem::take(self.as_map_mut());
        map.into_iter()
    }
}

impl<K: AsRef<str>, V: Serialize> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Object::new();
        object.extend(members);
        object
    }
}

/// Sets each member, as [`insert`](Object::insert) does.
impl<K: AsRef<str>, V: Serialize> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
        members.into_iter().for_each(|(key, value)| self.set(key.as_ref(), value));
    }
}
