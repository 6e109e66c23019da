//! Writing any `Serialize` as JSON text, and refusing what JSON cannot carry.
//!
//! `serde_json` writes NaN and infinities as `null` and recurses as deep as the value does. [`append`] puts a
//! thin serializer in front of it that stops at the first number that is not finite and at the first level
//! below [`MAX_DEPTH`], so a hostile value costs neither data nor stack. The text itself is `serde_json`'s.

use std::cell::Cell;

use serde::Serialize;
use serde::ser::{self, Error as _, Serializer};

/// Levels of objects and arrays that a value may nest, its section included.
pub const MAX_DEPTH: usize = 64;

/// The name by which `serde_json` recognises text that it must copy as it is.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Why a value cannot be part of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NotFinite,
    TooDeep,
    Unserializable(String),
}

/// What was appended: text of `serde_json`, or partly text that came in as text, with any white space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Compact,
    AsGiven,
}

/// Appends `value` as JSON text to `out`; on a fault `out` is as it was. `depth` levels are above the value.
pub(crate) fn append<T>(out: &mut Vec<u8>, value: &T, depth: usize) -> Result<Written, Fault>
where
    T: Serialize + ?Sized,
{
    let start = out.len();
    let notes = Notes::default();
    let written = value.serialize(Strict { inner: &mut serde_json::Serializer::new(&mut *out), depth, notes: &notes });
    let fault = match written {
        Ok(()) if notes.raw.get() => out.get(start..).and_then(|raw| too_deep(raw, depth).or_else(|| unreadable(raw))),
        Ok(()) => None,
        Err(error) => Some(notes.fault.take().unwrap_or_else(|| Fault::Unserializable(error.to_string()))),
    };
    match fault {
        None if notes.raw.get() => Ok(Written::AsGiven),
        None => Ok(Written::Compact),
        Some(fault) => {
            out.truncate(start);
            Err(fault)
        }
    }
}

/// Text that came in as text was never walked level by level: count its brackets instead.
fn too_deep(text: &[u8], above: usize) -> Option<Fault> {
    let (mut depth, mut in_string, mut escaped) = (above, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(Fault::TooDeep);
        }
    }
    None
}

/// Text that came in as text is JSON by its grammar, and may still be what no value can be made of: the object that
/// holds it would be lost when a plugin edits it. The look at each byte spares most text the parsing.
fn unreadable(text: &[u8]) -> Option<Fault> {
    if text.windows(RAW_VALUE.len()).any(|part| part == RAW_VALUE.as_bytes()) {
        return check_key(RAW_VALUE).err();
    }
    let odd = |pair: &[u8]| matches!(pair, [b'\\', b'u'] | [b'0'..=b'9', b'e' | b'E']);
    let long = |digits: &[u8]| digits.len() > 300;
    if !text.windows(2).any(odd) && !text.split(|byte| !byte.is_ascii_digit()).any(long) {
        return None;
    }
    serde_json::from_slice::<serde_json::Value>(text).err().map(|error| Fault::Unserializable(error.to_string()))
}

/// Refuses the one key that is not read again as what it is.
pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    if key != RAW_VALUE {
        return Ok(());
    }
    Err(Fault::Unserializable(format!("{RAW_VALUE:?} means something else to serde_json")))
}

/// What was noticed on the way down; an error of `serde_json` has no room for it.
#[derive(Default)]
struct Notes {
    fault: Cell<Option<Fault>>,
    raw: Cell<bool>,
}

struct Strict<'n, S> {
    inner: S,
    depth: usize,
    notes: &'n Notes,
}

impl<S: Serializer> Strict<'_, S> {
    fn refuse<T>(&self, fault: Fault) -> Result<T, S::Error> {
        self.notes.fault.set(Some(fault));
        Err(S::Error::custom("refused"))
    }

    fn finite(&self, is_finite: bool) -> Result<(), S::Error> {
        if is_finite { Ok(()) } else { self.refuse(Fault::NotFinite) }
    }

    /// The depth of what is inside the level that begins here.
    fn descend(&self) -> Result<usize, S::Error> {
        if self.depth >= MAX_DEPTH {
            return self.refuse(Fault::TooDeep);
        }
        Ok(self.depth + 1)
    }
}

/// A value inside a level: goes through [`Strict`] again.
struct Inside<'v, 'n, T: ?Sized> {
    value: &'v T,
    depth: usize,
    notes: &'n Notes,
}

impl<T: Serialize + ?Sized> Serialize for Inside<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Strict { inner: serializer, depth: self.depth, notes: self.notes })
    }
}

struct Level<'n, C> {
    inner: C,
    depth: usize,
    notes: &'n Notes,
}

impl<'n, C> Level<'n, C> {
    fn wrap<'v, T: ?Sized>(&self, value: &'v T) -> Inside<'v, 'n, T> {
        Inside { value, depth: self.depth, notes: self.notes }
    }
}

impl<'n, S: Serializer> Serializer for Strict<'n, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Level<'n, S::SerializeSeq>;
    type SerializeTuple = Level<'n, S::SerializeTuple>;
    type SerializeTupleStruct = Level<'n, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Level<'n, S::SerializeTupleVariant>;
    type SerializeMap = Level<'n, S::SerializeMap>;
    type SerializeStruct = Level<'n, S::SerializeStruct>;
    type SerializeStructVariant = Level<'n, S::SerializeStructVariant>;

    fn serialize_bool(self, v: bool) -> Result<S::Ok, S::Error> {
        self.inner.serialize_bool(v)
    }
    fn serialize_i8(self, v: i8) -> Result<S::Ok, S::Error> {
        self.inner.serialize_i8(v)
    }
    fn serialize_i16(self, v: i16) -> Result<S::Ok, S::Error> {
        self.inner.serialize_i16(v)
    }
    fn serialize_i32(self, v: i32) -> Result<S::Ok, S::Error> {
        self.inner.serialize_i32(v)
    }
    fn serialize_i64(self, v: i64) -> Result<S::Ok, S::Error> {
        self.inner.serialize_i64(v)
    }
    fn serialize_i128(self, v: i128) -> Result<S::Ok, S::Error> {
        self.inner.serialize_i128(v)
    }
    fn serialize_u8(self, v: u8) -> Result<S::Ok, S::Error> {
        self.inner.serialize_u8(v)
    }
    fn serialize_u16(self, v: u16) -> Result<S::Ok, S::Error> {
        self.inner.serialize_u16(v)
    }
    fn serialize_u32(self, v: u32) -> Result<S::Ok, S::Error> {
        self.inner.serialize_u32(v)
    }
    fn serialize_u64(self, v: u64) -> Result<S::Ok, S::Error> {
        self.inner.serialize_u64(v)
    }
    fn serialize_u128(self, v: u128) -> Result<S::Ok, S::Error> {
        self.inner.serialize_u128(v)
    }
    fn serialize_f32(self, v: f32) -> Result<S::Ok, S::Error> {
        self.finite(v.is_finite())?;
        self.inner.serialize_f32(v)
    }
    fn serialize_f64(self, v: f64) -> Result<S::Ok, S::Error> {
        self.finite(v.is_finite())?;
        self.inner.serialize_f64(v)
    }
    fn serialize_char(self, v: char) -> Result<S::Ok, S::Error> {
        self.inner.serialize_char(v)
    }
    fn serialize_str(self, v: &str) -> Result<S::Ok, S::Error> {
        // It may be a key.
        if let Err(fault) = check_key(v) {
            return self.refuse(fault);
        }
        self.inner.serialize_str(v)
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<S::Ok, S::Error> {
        self.inner.serialize_bytes(v)
    }
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_struct(name)
    }
    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let depth = self.descend()?;
        let value = Inside { value, depth, notes: self.notes };
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let depth = self.descend()?;
        Ok(Level { inner: self.inner.serialize_seq(len)?, depth, notes: self.notes })
    }
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let depth = self.descend()?;
        Ok(Level { inner: self.inner.serialize_tuple(len)?, depth, notes: self.notes })
    }
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        let depth = self.descend()?;
        Ok(Level { inner: self.inner.serialize_tuple_struct(name, len)?, depth, notes: self.notes })
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let depth = self.descend()? + 1;
        Ok(Level { inner: self.inner.serialize_tuple_variant(name, index, variant, len)?, depth, notes: self.notes })
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let depth = self.descend()?;
        Ok(Level { inner: self.inner.serialize_map(len)?, depth, notes: self.notes })
    }
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        if name == RAW_VALUE {
            self.notes.raw.set(true);
        }
        let depth = self.descend()?;
        Ok(Level { inner: self.inner.serialize_struct(name, len)?, depth, notes: self.notes })
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let depth = self.descend()? + 1;
        Ok(Level { inner: self.inner.serialize_struct_variant(name, index, variant, len)?, depth, notes: self.notes })
    }
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }
}

impl<C: ser::SerializeSeq> ser::SerializeSeq for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_element(&value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTuple> ser::SerializeTuple for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_element(&value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTupleStruct> ser::SerializeTupleStruct for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_field(&value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTupleVariant> ser::SerializeTupleVariant for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_field(&value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeMap> ser::SerializeMap for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let key = self.wrap(key);
        self.inner.serialize_key(&key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_value(&value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeStruct> ser::SerializeStruct for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_field(key, &value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeStructVariant> ser::SerializeStructVariant for Level<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
        let value = self.wrap(value);
        self.inner.serialize_field(key, &value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
