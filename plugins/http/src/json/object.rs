//! The members of an object, in their order.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Json;

/// An object. A member is found by a linear search: events have few members, and the objects of vendors fewer.
///
/// ```
/// use tracklane_http::JsonObject;
///
/// let mut object = JsonObject::new();
/// object.insert("colour", "red");
/// object.insert("colour", "blue");
/// assert_eq!(serde_json::to_string(&object)?, r#"{"colour":"blue"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> JsonObject<'a> {
    /// Makes an object without members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Makes an object with room for so many members.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Self(Vec::with_capacity(members))
    }

    /// Returns a copy with room for so many more members.
    #[must_use]
    pub fn with_room(&self, more: usize) -> Self {
        let mut members = Vec::with_capacity(self.0.len() + more);
        members.extend_from_slice(&self.0);
        Self(members)
    }

    /// Makes room for so many members if there is no memory yet.
    pub(super) fn reserve_first(&mut self, members: usize) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(members);
        }
    }

    /// Removes all members, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a member. The object must not have one of that name.
    pub(super) fn push(&mut self, name: Cow<'a, str>, value: Json<'a>) {
        self.0.push((name, value));
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(member, _)| member == name)
    }

    /// Returns the value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Returns the value of a member for changes.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json<'a>> {
        self.0.iter_mut().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Returns whether there is a member of that name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a member. One that is there keeps its place.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Json<'a>>) {
        let (name, value) = (name.into(), value.into());
        match self.get_mut(&name) {
            Some(known) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets a member unless it is there.
    pub fn insert_missing(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Json<'a>>) {
        let name = name.into();
        if !self.contains_key(&name) {
            self.0.push((name, value.into()));
        }
    }

    /// Takes a member out. The others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Json<'a>> {
        self.remove_entry(name).map(|(_, value)| value)
    }

    /// Takes a member out, with its name.
    pub fn remove_entry(&mut self, name: &str) -> Option<(Cow<'a, str>, Json<'a>)> {
        self.position(name).map(|at| self.0.remove(at))
    }

    /// Keeps the members of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// Returns the members, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for JsonObject<'a> {
    type Item = (Cow<'a, str>, Json<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K: Into<Cow<'a, str>>, V: Into<Json<'a>>> Extend<(K, V)> for JsonObject<'a> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
        members.into_iter().for_each(|(name, value)| self.insert(name, value));
    }
}

impl<'a, K: Into<Cow<'a, str>>, V: Into<Json<'a>>> FromIterator<(K, V)> for JsonObject<'a> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Self::new();
        object.extend(members);
        object
    }
}

impl From<JsonObject<'_>> for Map<String, Value> {
    fn from(object: JsonObject<'_>) -> Self {
        object.into_iter().map(|(name, value)| (name.into_owned(), value.into())).collect()
    }
}

impl From<Map<String, Value>> for JsonObject<'_> {
    fn from(members: Map<String, Value>) -> Self {
        // Their names differ already.
        Self(members.into_iter().map(|(name, value)| (Cow::Owned(name), value.into())).collect())
    }
}
