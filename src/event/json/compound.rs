//! Writes one object or array. Serde has seven traits for that.

use serde::Serialize;
use serde::ser;

use super::error::ValueError;
use super::number::{self, Number};
use super::reader;
use super::serializer::{Serializer, check_key, check_written_key};
use super::string::write_string;
use super::system_time;

pub(super) struct Compound<'o> {
    pub(super) json: &'o mut Vec<u8>,
    /// The number of levels above the members.
    pub(super) depth: usize,
    /// The text behind the last member.
    close: &'static [u8],
    state: State,
    /// The start of the object, if it is a `SystemTime`.
    system_time: Option<usize>,
}

#[derive(PartialEq, Eq)]
enum State {
    Empty,
    Begun,
    /// No level: the value is given as JSON text.
    Raw,
    /// An element could not be written. `end` returns the error again, because a `Serialize` may have ignored it.
    Broken(ValueError),
}

impl<'o> Compound<'o> {
    pub(super) fn new(json: &'o mut Vec<u8>, depth: usize, close: &'static [u8]) -> Self {
        Self { json, depth, close, state: State::Empty, system_time: None }
    }

    pub(super) fn raw(json: &'o mut Vec<u8>, depth: usize) -> Self {
        Self { json, depth, close: b"", state: State::Raw, system_time: None }
    }

    /// Marks the level, which has just begun, as a `SystemTime`.
    pub(super) fn of_system_time(self) -> Self {
        let start = self.json.len().saturating_sub(1);
        Self { system_time: Some(start), ..self }
    }

    fn begin_element(&mut self) {
        match self.state {
            State::Empty => self.state = State::Begun,
            State::Begun => self.json.push(b','),
            State::Raw | State::Broken(_) => {}
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let written = value.serialize(Serializer { json: &mut *self.json, depth: self.depth });
        written.inspect_err(|error| self.state = State::Broken(error.clone()))
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.begin_element();
        self.value(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        if self.state == State::Raw {
            return self.raw_value(value);
        }
        if let Err(problem) = check_key(key) {
            let error = ValueError::from(problem);
            self.state = State::Broken(error.clone());
            return Err(error);
        }
        self.begin_element();
        write_string(self.json, key);
        self.json.push(b':');
        self.value(value)
    }

    /// Writes the value that is given as the text `value`, in the one spelling that a value has here.
    fn raw_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let Ok(serde_json::Value::String(text)) = serde_json::to_value(value) else {
            return Err(ser::Error::custom("text that stands for a value must be a string"));
        };
        // Numbers are not parsed to a `Value`, because `serde_json` may keep their digits as text.
        if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return match number::read(&text)? {
                Number::Positive(number) => self.value(&number),
                Number::Negative(number) => self.value(&number),
                Number::Float(number) => self.value(&number),
            };
        }
        self.value(&reader::value(text.as_bytes(), self.depth)?)
    }

    /// Writes a key: a string, or a number or boolean that becomes one.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.write_key(key).inspect_err(|error| self.state = State::Broken(error.clone()))
    }

    fn write_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.begin_element();
        let start = self.json.len();
        match key.serialize(Serializer { json: &mut *self.json, depth: self.depth }) {
            // It becomes a string, which keeps all digits.
            Err(error) if error.is_inexact() => {
                self.json.truncate(start);
                serde_json::to_writer(&mut *self.json, key).map_err(<ValueError as ser::Error>::custom)?;
            }
            written => written?,
        }
        match self.json.get(start..).unwrap_or_default() {
            [b'"', key @ .., b'"'] => check_written_key(key)?,
            [b'n' | b'[' | b'{', ..] => return Err(ser::Error::custom("a key must be a string")),
            _ => {
                self.json.insert(start, b'"');
                self.json.push(b'"');
            }
        }
        self.json.push(b':');
        Ok(())
    }

    fn close(self) -> Result<(), ValueError> {
        if let State::Broken(error) = self.state {
            return Err(error);
        }
        self.json.extend_from_slice(self.close);
        if let Some(start) = self.system_time {
            system_time::rewrite(self.json, start);
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.element(value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeTuple for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.element(value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.element(value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.element(value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.value(value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Compound<'_> {
    type Ok = ();
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), ValueError> {
        self.close()
    }
}
