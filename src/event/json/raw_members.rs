//! A JSON object as text: its members without the braces, `"a":1,"b":{"c":2}`.
//!
//! Invariant: this crate wrote the text. So a value has one spelling, there is no white space around members, and no
//! key is there twice. Finding a member reads no value and allocates nothing.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::members::{MemberRange, find_key, members, value_end};
use super::reader;
use super::string::{is_plain, read_string};

/// The bytes to reserve for the members of a usual event, so that they are written without growing.
const FIRST_RESERVE: usize = 512;
/// With this many bits set, after some 64 members, the filter of keys rejects little. Then a map finds a key faster
/// than a walk through the text, ...
pub(super) const INDEX_LIMIT_BITS: u32 = 40;
/// ... unless the text is short.
const INDEX_LIMIT_BYTES: usize = 1024;
/// The filter of a text whose keys were not read: any key may be there.
pub(super) const ANY_KEY: u64 = u64::MAX;

#[derive(Clone, Default)]
pub(super) struct RawMembers {
    json: Vec<u8>,
    /// One bit per hash of a key. If the bit of a key is not set, the key is not there.
    keys: u64,
}

impl RawMembers {
    /// Takes over trusted text and its memory.
    pub(super) fn of(json: Vec<u8>) -> Self {
        let keys = filter_of_unread(&json);
        Self { json, keys }
    }

    /// Copies trusted text and the filter of its keys, into the memory that is there.
    pub(super) fn set(&mut self, json: &[u8], keys: u64) {
        self.json.clear();
        self.json.extend_from_slice(json);
        self.keys = keys;
    }

    /// Copies `other` into the memory that is there.
    pub(super) fn copy_from(&mut self, other: &RawMembers) {
        self.json.clone_from(&other.json);
        self.keys = other.keys;
    }

    /// Returns the bytes of memory that are there.
    pub(super) fn capacity(&self) -> usize {
        self.json.capacity()
    }

    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Returns the number of members there are.
    pub(super) fn len(&self) -> usize {
        members(&self.json).count()
    }

    /// Returns whether a map would be faster.
    pub(super) fn is_over_index_limit(&self) -> bool {
        self.json.len() >= INDEX_LIMIT_BYTES && self.known_keys().count_ones() >= INDEX_LIMIT_BITS
    }

    /// Appends a member whose value `write_value` appends, and removes an older one of the same key.
    pub(super) fn insert<E>(
        &mut self,
        key: &str,
        write_value: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = self.json.len();
        let name = escaped(key);
        self.begin_member();
        let member = PartialMember { json: &mut self.json, end };
        write_key(member.json, &name);
        write_value(member.json)?;
        std::mem::forget(member);
        self.replace_older(end, &name);
        Ok(())
    }

    /// Adds a member at a path of keys, whose value `write_value` appends, with the objects on the path that are missing. Does
    /// nothing if there is a value already, or something on the path that is no object.
    pub(super) fn insert_missing_at<E>(
        &mut self,
        first: &str,
        rest: &[&str],
        write_value: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(mut key) = self.find_key(first) else {
            return self.insert(first, |json| write_nested(json, rest, write_value));
        };
        let mut rest = rest;
        while let Some((name, below)) = rest.split_first() {
            let Some(inside) = inside(&self.json, &key) else { return Ok(()) };
            let name = escaped(name);
            let Some(found) = find_key(&self.json, inside, &name) else {
                return self.insert_inside(inside, &name, |json| write_nested(json, below, write_value));
            };
            (key, rest) = (found, below);
        }
        Ok(())
    }

    /// Adds a member to the nested object whose members begin at `at`, in front of them. None has that name.
    fn insert_inside<E>(
        &mut self,
        at: usize,
        name: &[u8],
        write_value: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (end, is_empty) = (self.json.len(), self.json.get(at) == Some(&b'}'));
        let member = PartialMember { json: &mut self.json, end };
        write_key(member.json, name);
        write_value(member.json)?;
        if !is_empty {
            member.json.push(b',');
        }
        std::mem::forget(member);
        move_end(&mut self.json, end, at);
        Ok(())
    }

    /// Appends a member whose key (with quotes) and value are text already.
    pub(super) fn insert_raw(&mut self, key: &[u8], value: &[u8]) {
        let end = self.json.len();
        self.begin_member();
        self.json.extend_from_slice(key);
        self.json.push(b':');
        self.json.extend_from_slice(value);
        self.replace_older(end, key.get(1..key.len() - 1).unwrap_or_default());
    }

    /// Prepares for another member.
    fn begin_member(&mut self) {
        if !self.json.is_empty() {
            self.json.push(b',');
        } else if self.json.capacity() == 0 {
            self.json.reserve(FIRST_RESERVE);
        }
    }

    /// Records the key of the member that was appended behind `end`, and removes an older member of the same key.
    fn replace_older(&mut self, end: usize, name: &[u8]) {
        if self.keys == ANY_KEY {
            self.keys = keys_of(self.json.get(..end).unwrap_or_default());
        }
        let bit = key_bit(name);
        if self.keys & bit == 0 {
            self.keys |= bit;
        } else if let Some(older) = find(self.json.get(..end).unwrap_or_default(), name) {
            self.cut(older);
        }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.find_key(key).is_some()
    }

    /// Returns the text of the value at a path of keys.
    pub(super) fn raw_at(&self, first: &str, rest: &[&str]) -> Option<&[u8]> {
        let mut key = self.find_key(first)?;
        for name in rest {
            // The object is not passed first to find its end.
            key = find_key(&self.json, inside(&self.json, &key)?, &escaped(name))?;
        }
        self.json.get(key.end + 1..value_end(&self.json, key.end + 1)?)
    }

    /// Returns the text of the value at `key`.
    pub(super) fn raw(&self, key: &str) -> Option<&[u8]> {
        self.json.get(self.place(key)?)
    }

    /// Returns the place of the value at `key`.
    pub(super) fn place(&self, key: &str) -> Option<Range<usize>> {
        Some(self.find(key)?.value)
    }

    /// Removes the member `key`, if there is one.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(member) = self.find(key) {
            self.cut(member);
        }
    }

    fn find(&self, key: &str) -> Option<MemberRange> {
        member_of(&self.json, self.find_key(key)?)
    }

    /// Returns the place of a key. The value behind it is not read.
    fn find_key(&self, key: &str) -> Option<Range<usize>> {
        let name = escaped(key);
        // Without its bit a key is not there.
        if self.keys & key_bit(&name) == 0 { None } else { find_key(&self.json, 0, &name) }
    }

    fn cut(&mut self, member: MemberRange) {
        let (start, end) = (member.key.start, member.value.end);
        if end < self.json.len() {
            self.json.drain(start..=end);
        } else {
            self.json.drain(start.saturating_sub(1)..);
        }
    }

    /// Returns `true` if certainly no key is in both; `false` says nothing, above all where the keys were not read.
    pub(super) fn has_disjoint_keys(&self, other: &RawMembers) -> bool {
        self.keys & other.keys == 0
    }

    /// Gives the text, and the filter of its keys, to `merge`, which adds members of `other` to it.
    pub(super) fn merge<T>(&mut self, other: &RawMembers, merge: impl FnOnce(&mut Vec<u8>, u64) -> T) -> T {
        // The keys of a text that was not read are read once, and not for each member.
        self.keys = self.known_keys();
        let merged = merge(&mut self.json, self.keys);
        // The bits of an unknown text are all set.
        self.keys |= other.keys;
        merged
    }

    /// Returns the filter of the keys.
    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    fn known_keys(&self) -> u64 {
        if self.keys == ANY_KEY { keys_of(&self.json) } else { self.keys }
    }

    /// Puts the members of `other` in front. No key may be in both.
    pub(super) fn prepend(&mut self, other: &RawMembers) {
        if other.json.is_empty() {
            return;
        }
        let mut json = Vec::with_capacity(self.prepended_len(other));
        json.extend_from_slice(&other.json);
        if !self.json.is_empty() {
            json.push(b',');
        }
        json.extend_from_slice(&self.json);
        *self = RawMembers { json, keys: self.known_keys() | other.known_keys() };
    }

    /// Returns the length of the text with the members of `other` in front.
    pub(super) fn prepended_len(&self, other: &RawMembers) -> usize {
        let comma = usize::from(!self.json.is_empty() && !other.json.is_empty());
        self.json.len() + comma + other.json.len()
    }

    pub(super) fn to_map(&self) -> Map<String, Value> {
        let member = |member: MemberRange| {
            let key = read_string(self.json.get(member.key)?)?;
            Some((key.into_owned(), reader::value(self.json.get(member.value)?, 0).ok()?))
        };
        members(&self.json).filter_map(member).collect()
    }
}

/// A member whose value is being written. Unless that succeeds, the text stays as it was. A `Serialize` may also panic,
/// and half a member would spoil the batch that it goes into.
struct PartialMember<'t> {
    json: &'t mut Vec<u8>,
    end: usize,
}

impl Drop for PartialMember<'_> {
    fn drop(&mut self) {
        self.json.truncate(self.end);
    }
}

/// Returns the key as it is written between its quotes.
fn escaped(key: &str) -> Cow<'_, [u8]> {
    if is_plain(key.as_bytes()) {
        return Cow::Borrowed(key.as_bytes());
    }
    let quoted = serde_json::to_vec(key).unwrap_or_default();
    Cow::Owned(quoted.get(1..quoted.len() - 1).unwrap_or_default().to_vec())
}

/// Returns the bit of a key, from its length and its first and last eight or four bytes.
pub(super) fn key_bit(name: &[u8]) -> u64 {
    let (first, last) = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
    } else {
        (name.iter().fold(0, |short, byte| short << 8 | u64::from(*byte)), 0)
    };
    let hash = (first ^ last.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1 << (hash >> 58)
}

/// Returns the filter of a text whose keys were not read.
pub(super) fn filter_of_unread(text: &[u8]) -> u64 {
    if text.is_empty() { 0 } else { ANY_KEY }
}

fn keys_of(text: &[u8]) -> u64 {
    members(text).fold(0, |keys, member| keys | key_bit(text.get(member.name()).unwrap_or_default()))
}

pub(super) fn find(text: &[u8], name: &[u8]) -> Option<MemberRange> {
    member_of(text, find_key(text, 0, name)?)
}

fn member_of(text: &[u8], key: Range<usize>) -> Option<MemberRange> {
    let value = key.end + 1..value_end(text, key.end + 1)?;
    Some(MemberRange { key, value })
}

/// Returns where the members of the value behind a key begin, if it is an object.
fn inside(text: &[u8], key: &Range<usize>) -> Option<usize> {
    (text.get(key.end + 1) == Some(&b'{')).then_some(key.end + 2)
}

/// Moves what was appended behind `end` to `at`. Returns its length.
pub(super) fn move_end(text: &mut [u8], end: usize, at: usize) -> usize {
    let len = text.len() - end;
    text.get_mut(at..).unwrap_or_default().rotate_right(len);
    len
}

/// Writes a value inside of objects with one key each.
fn write_nested<E>(
    json: &mut Vec<u8>,
    path: &[&str],
    write_value: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    for key in path {
        json.push(b'{');
        write_key(json, &escaped(key));
    }
    write_value(json)?;
    json.extend(path.iter().map(|_| b'}'));
    Ok(())
}

/// Writes a key as it is written between its quotes, and what separates it from its value.
fn write_key(json: &mut Vec<u8>, name: &[u8]) {
    json.push(b'"');
    json.extend_from_slice(name);
    json.extend_from_slice(b"\":");
}
