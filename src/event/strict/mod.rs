//! Writing any `Serialize` as JSON text, and refusing what JSON cannot carry.
//!
//! `serde_json` writes NaN and infinities as `null`, and recurses as deep as the value does. This serializer stops at
//! the first number that is not finite and at the first level below [`MAX_DEPTH`], so a hostile value costs neither
//! data nor stack. It writes the structure itself, and straight into the text of an event; numbers, and strings with
//! escapes, are left to `serde_json`, and the text is the one that it would have written.

mod level;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser::Serializer;

use super::quoted::{is_plain, write_string};
use level::Level;

/// Levels of objects and arrays that a value may nest, its section included.
pub const MAX_DEPTH: usize = 64;

/// The name by which `serde_json` recognises text that it must copy as it is.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
/// The same for the digits of a number, where it was built with `arbitrary_precision`.
const RAW_NUMBER: &str = "$serde_json::private::Number";

/// Why a value cannot be part of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("a number is not finite")]
    NotFinite,
    #[error("more than {MAX_DEPTH} levels of nesting")]
    TooDeep,
    #[error("{0}")]
    Unserializable(String),
}

impl serde::ser::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Fault::Unserializable(message.to_string())
    }
}

/// What was appended: text of this serializer, or partly text that came in as text, with any white space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Compact,
    AsGiven,
}

/// Appends `value` as JSON text to `json`; on a fault `json` is as it was. `depth` levels are above the value.
pub(crate) fn append<T>(json: &mut Vec<u8>, value: &T, depth: usize) -> Result<Written, Fault>
where
    T: Serialize + ?Sized,
{
    let start = json.len();
    let mut sink = Sink { json, written: Written::Compact };
    let outcome = value.serialize(Strict { sink: &mut sink, depth });
    let written = sink.written;
    let outcome = outcome.and_then(|()| match written {
        Written::Compact => Ok(()),
        Written::AsGiven => check_given(json.get(start..).unwrap_or_default(), depth),
    });
    match outcome {
        Ok(()) => Ok(written),
        Err(fault) => {
            json.truncate(start);
            Err(fault)
        }
    }
}

fn check_given(text: &[u8], depth: usize) -> Result<(), Fault> {
    check_depth(text, depth)?;
    check_readable(text)
}

/// Text that came in as text was never walked level by level: count its brackets instead.
fn check_depth(text: &[u8], above: usize) -> Result<(), Fault> {
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
            return Err(Fault::TooDeep);
        }
    }
    Ok(())
}

/// Text that came in as text is JSON by its grammar, and may still be what no value can be made of: the object that
/// holds it would be lost when a plugin edits it. The look at each byte spares most text the parsing.
fn check_readable(text: &[u8]) -> Result<(), Fault> {
    if text.windows(RAW_VALUE.len()).any(|part| part == RAW_VALUE.as_bytes()) {
        return check_key(RAW_VALUE);
    }
    let odd = |pair: &[u8]| matches!(pair, [b'\\', b'u'] | [b'0'..=b'9', b'e' | b'E']);
    let long = |digits: &[u8]| digits.len() > 300;
    if !text.windows(2).any(odd) && !text.split(|byte| !byte.is_ascii_digit()).any(long) {
        return Ok(());
    }
    let read = serde_json::from_slice::<serde_json::Value>(text);
    read.map(drop).map_err(|error| Fault::Unserializable(error.to_string()))
}

/// Refuses the one key that is not read again as what it is.
pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    if key != RAW_VALUE {
        return Ok(());
    }
    Err(Fault::Unserializable(format!("{RAW_VALUE:?} means something else to serde_json")))
}

/// Where the text goes.
struct Sink<'o> {
    json: &'o mut Vec<u8>,
    written: Written,
}

/// Writes one value, which has `depth` levels above it.
struct Strict<'s, 'o> {
    sink: &'s mut Sink<'o>,
    depth: usize,
}

impl<'s, 'o> Strict<'s, 'o> {
    /// Writes what has no text of our own: numbers.
    fn plain(self, value: impl Serialize) -> Result<(), Fault> {
        serde_json::to_writer(&mut *self.sink.json, &value).map_err(|error| Fault::Unserializable(error.to_string()))
    }

    fn literal(self, text: &[u8]) -> Result<(), Fault> {
        self.sink.json.extend_from_slice(text);
        Ok(())
    }

    /// Begins a level with `open`, which will end with `close`.
    fn level(self, open: &[u8], close: &'static [u8]) -> Result<Level<'s, 'o>, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.sink.json.extend_from_slice(open);
        Ok(Level::new(self.sink, self.depth + 1, close))
    }

    /// Begins the object around a variant of an enum that has more than its name.
    fn variant(self, variant: &str) -> Result<Self, Fault> {
        let Level { sink, depth, .. } = self.level(b"{", b"")?;
        write_string(sink.json, variant);
        sink.json.push(b':');
        Ok(Self { sink, depth })
    }
}

impl<'s, 'o> Serializer for Strict<'s, 'o> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Level<'s, 'o>;
    type SerializeTuple = Level<'s, 'o>;
    type SerializeTupleStruct = Level<'s, 'o>;
    type SerializeTupleVariant = Level<'s, 'o>;
    type SerializeMap = Level<'s, 'o>;
    type SerializeStruct = Level<'s, 'o>;
    type SerializeStructVariant = Level<'s, 'o>;

    fn serialize_bool(self, v: bool) -> Result<(), Fault> {
        self.literal(if v { b"true" } else { b"false" })
    }
    fn serialize_i8(self, v: i8) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_i16(self, v: i16) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_i32(self, v: i32) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_i64(self, v: i64) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_i128(self, v: i128) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_u8(self, v: u8) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_u16(self, v: u16) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_u32(self, v: u32) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_u64(self, v: u64) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_u128(self, v: u128) -> Result<(), Fault> {
        self.plain(v)
    }
    fn serialize_f32(self, v: f32) -> Result<(), Fault> {
        if v.is_finite() { self.plain(v) } else { Err(Fault::NotFinite) }
    }
    fn serialize_f64(self, v: f64) -> Result<(), Fault> {
        if v.is_finite() { self.plain(v) } else { Err(Fault::NotFinite) }
    }
    fn serialize_char(self, v: char) -> Result<(), Fault> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Result<(), Fault> {
        write_string(self.sink.json, v);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Fault> {
        self.collect_seq(v)
    }
    fn serialize_none(self) -> Result<(), Fault> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Fault> {
        self.literal(b"null")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Fault> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let inside = self.variant(variant)?;
        value.serialize(Strict { sink: &mut *inside.sink, depth: inside.depth })?;
        inside.literal(b"}")
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Level<'s, 'o>, Fault> {
        self.level(b"[", b"]")
    }
    fn serialize_tuple(self, _: usize) -> Result<Level<'s, 'o>, Fault> {
        self.level(b"[", b"]")
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Level<'s, 'o>, Fault> {
        self.level(b"[", b"]")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Level<'s, 'o>, Fault> {
        self.variant(variant)?.level(b"[", b"]}")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Level<'s, 'o>, Fault> {
        self.level(b"{", b"}")
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Level<'s, 'o>, Fault> {
        if matches!(name, RAW_VALUE | RAW_NUMBER) {
            self.sink.written = Written::AsGiven;
            return Ok(Level::given(self.sink, self.depth));
        }
        self.level(b"{", b"}")
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Level<'s, 'o>, Fault> {
        self.variant(variant)?.level(b"{", b"}}")
    }
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        let Sink { json, .. } = self.sink;
        let start = json.len();
        json.push(b'"');
        std::io::Write::write_fmt(json, format_args!("{value}")).map_err(serde::ser::Error::custom)?;
        if json.get(start + 1..).is_some_and(is_plain) {
            json.push(b'"');
            return Ok(());
        }
        let displayed = json.split_off(start);
        write_string(json, &String::from_utf8_lossy(displayed.get(1..).unwrap_or_default()));
        Ok(())
    }
}
