//! Writes any `Serialize` as JSON text, and refuses what JSON cannot carry.
//!
//! `serde_json` writes NaN and infinities as `null`, and recurses as deep as the value does. This serializer stops at
//! the first number that is not finite and at the first level below [`MAX_DEPTH`]. So a hostile value costs neither
//! data nor stack. It writes the structure straight into the text of an event. Numbers, and strings with escapes, are
//! left to `serde_json`.
//!
//! The text is the one that `serde_json` would write, except for three things. A number that does not fit 64 bits is
//! refused. Raw JSON text is parsed and written again, so that a value has one spelling and one length. A `SystemTime`
//! is RFC 3339, like every other time in an event.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser;

use super::compound::Compound;
use super::error::{Problem, ValueError};
use super::string::{is_plain, write_string};
use super::system_time;

/// The levels of objects and arrays that a value may nest, its section included.
pub const MAX_DEPTH: usize = 64;

/// The start of the names by which `serde_json` marks raw JSON text (`RawValue`), and the digits of a number where it
/// is built with `arbitrary_precision`. It has no public name for them. A test compares this one with the names that it
/// uses.
const OF_SERDE_JSON: &str = "$serde_json::private::";

/// Appends `value` as JSON text to `json`. After an error, `json` is as it was. `depth` levels are above the value.
pub(super) fn append<T>(json: &mut Vec<u8>, value: &T, depth: usize) -> Result<(), ValueError>
where
    T: Serialize + ?Sized,
{
    let start = json.len();
    let outcome = value.serialize(Serializer { json, depth });
    if outcome.is_err() {
        json.truncate(start);
    }
    outcome
}

/// Refuses a key to which `serde_json` gives a meaning when it reads it again.
pub(super) fn check_key(key: &str) -> Result<(), Problem> {
    if !key.starts_with(OF_SERDE_JSON) {
        return Ok(());
    }
    Err(Problem::Unserializable(format!("the key {key:?} means something else to serde_json")))
}

/// The same for a key that is JSON text, without its quotes.
pub(super) fn check_written_key(key: &[u8]) -> Result<(), Problem> {
    if !key.starts_with(OF_SERDE_JSON.as_bytes()) {
        return Ok(());
    }
    check_key(std::str::from_utf8(key).unwrap_or_default())
}

/// Writes one value, which has `depth` levels above it.
pub(super) struct Serializer<'o> {
    /// Receives the text.
    pub(super) json: &'o mut Vec<u8>,
    pub(super) depth: usize,
}

impl<'o> Serializer<'o> {
    /// Writes a number, as `serde_json` does.
    fn plain<T: Serialize>(self, value: T) -> Result<(), ValueError> {
        serde_json::to_writer(&mut *self.json, &value).map_err(<ValueError as ser::Error>::custom)
    }

    fn literal(self, text: &[u8]) -> Result<(), ValueError> {
        self.json.extend_from_slice(text);
        Ok(())
    }

    /// Begins a level with the text `open`, which ends with the text `close`.
    fn compound(self, open: &[u8], close: &'static [u8]) -> Result<Compound<'o>, ValueError> {
        if self.depth >= MAX_DEPTH {
            return Err(Problem::TooDeep.into());
        }
        self.json.extend_from_slice(open);
        Ok(Compound::new(self.json, self.depth + 1, close))
    }

    /// Begins the object around an enum's variant that has data.
    fn variant(self, variant: &str) -> Result<Self, ValueError> {
        check_key(variant)?;
        let Compound { json, depth, .. } = self.compound(b"{", b"")?;
        write_string(json, variant);
        json.push(b':');
        Ok(Self { json, depth })
    }
}

impl<'o> ser::Serializer for Serializer<'o> {
    type Ok = ();
    type Error = ValueError;
    type SerializeSeq = Compound<'o>;
    type SerializeTuple = Compound<'o>;
    type SerializeTupleStruct = Compound<'o>;
    type SerializeTupleVariant = Compound<'o>;
    type SerializeMap = Compound<'o>;
    type SerializeStruct = Compound<'o>;
    type SerializeStructVariant = Compound<'o>;

    fn serialize_bool(self, v: bool) -> Result<(), ValueError> {
        self.literal(if v { b"true" } else { b"false" })
    }
    fn serialize_i8(self, v: i8) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_i16(self, v: i16) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_i32(self, v: i32) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_i64(self, v: i64) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_i128(self, v: i128) -> Result<(), ValueError> {
        match (u64::try_from(v), i64::try_from(v)) {
            (Ok(v), _) => self.plain(v),
            (_, Ok(v)) => self.plain(v),
            _ => Err(Problem::Inexact.into()),
        }
    }
    fn serialize_u8(self, v: u8) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_u16(self, v: u16) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_u32(self, v: u32) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_u64(self, v: u64) -> Result<(), ValueError> {
        self.plain(v)
    }
    fn serialize_u128(self, v: u128) -> Result<(), ValueError> {
        self.plain(u64::try_from(v).map_err(|_| Problem::Inexact)?)
    }
    fn serialize_f32(self, v: f32) -> Result<(), ValueError> {
        if !v.is_finite() {
            return Err(Problem::NotFinite.into());
        }
        // The shortest digits that mean `v`, written as a double. JSON of an `f32`, such as 1e14, gets longer when it
        // is read and written again.
        let double = v.to_string().parse().unwrap_or(f64::from(v));
        self.plain::<f64>(double)
    }
    fn serialize_f64(self, v: f64) -> Result<(), ValueError> {
        if v.is_finite() { self.plain(v) } else { Err(Problem::NotFinite.into()) }
    }
    fn serialize_char(self, v: char) -> Result<(), ValueError> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Result<(), ValueError> {
        write_string(self.json, v);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<(), ValueError> {
        self.collect_seq(v)
    }
    fn serialize_none(self) -> Result<(), ValueError> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), ValueError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), ValueError> {
        self.literal(b"null")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), ValueError> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), ValueError> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), ValueError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        let inside = self.variant(variant)?;
        value.serialize(Serializer { json: &mut *inside.json, depth: inside.depth })?;
        inside.literal(b"}")
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'o>, ValueError> {
        self.compound(b"[", b"]")
    }
    fn serialize_tuple(self, _: usize) -> Result<Compound<'o>, ValueError> {
        self.compound(b"[", b"]")
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'o>, ValueError> {
        self.compound(b"[", b"]")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'o>, ValueError> {
        self.variant(variant)?.compound(b"[", b"]}")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'o>, ValueError> {
        self.compound(b"{", b"}")
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'o>, ValueError> {
        if name.starts_with(OF_SERDE_JSON) {
            return Ok(Compound::raw(self.json, self.depth));
        }
        let compound = self.compound(b"{", b"}")?;
        Ok(if name == system_time::NAME { compound.of_system_time() } else { compound })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'o>, ValueError> {
        self.variant(variant)?.compound(b"{", b"}}")
    }
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), ValueError> {
        let json = self.json;
        let start = json.len();
        json.push(b'"');
        std::io::Write::write_fmt(json, format_args!("{value}")).map_err(<ValueError as ser::Error>::custom)?;
        if json.get(start + 1..).is_some_and(is_plain) {
            json.push(b'"');
            return Ok(());
        }
        let displayed = json.split_off(start);
        write_string(json, &String::from_utf8_lossy(displayed.get(1..).unwrap_or_default()));
        Ok(())
    }
}
