//! An object or array while it is written: serde has seven names for the two.

use serde::Serialize;
use serde::ser;

use super::{Fault, Sink, Strict, check_key};
use crate::event::quoted::write_string;

pub(super) struct Level<'s, 'o> {
    pub(super) sink: &'s mut Sink<'o>,
    /// Levels above what is inside.
    pub(super) depth: usize,
    /// What goes behind the last element.
    close: &'static [u8],
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Empty,
    Begun,
    /// No level at all: what stands for it is text, and copied as it is.
    Given,
}

impl<'s, 'o> Level<'s, 'o> {
    pub(super) fn new(sink: &'s mut Sink<'o>, depth: usize, close: &'static [u8]) -> Self {
        Self { sink, depth, close, state: State::Empty }
    }

    pub(super) fn given(sink: &'s mut Sink<'o>, depth: usize) -> Self {
        Self { sink, depth, close: b"", state: State::Given }
    }

    fn begin_element(&mut self) {
        if self.state == State::Begun {
            self.sink.json.push(b',');
        }
        self.state = State::Begun;
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        value.serialize(Strict { sink: &mut *self.sink, depth: self.depth })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.begin_element();
        self.value(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        if self.state == State::Given {
            return self.copy(value);
        }
        self.begin_element();
        write_string(self.sink.json, key);
        self.sink.json.push(b':');
        self.value(value)
    }

    /// Copies the string that `value` is, without quotes.
    fn copy<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let Ok(serde_json::Value::String(text)) = serde_json::to_value(value) else {
            return Err(ser::Error::custom("text that is to be copied must be a string"));
        };
        self.sink.json.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Writes a key, which is a string, or a number or boolean that becomes one.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.begin_element();
        let start = self.sink.json.len();
        self.value(key)?;
        match self.sink.json.get(start..).unwrap_or_default() {
            [b'"', key @ .., b'"'] => check_key(std::str::from_utf8(key).unwrap_or_default())?,
            [b'n' | b'[' | b'{', ..] => return Err(ser::Error::custom("a key must be a string")),
            _ => {
                self.sink.json.insert(start, b'"');
                self.sink.json.push(b'"');
            }
        }
        self.sink.json.push(b':');
        Ok(())
    }

    fn close(self) -> Result<(), Fault> {
        self.sink.json.extend_from_slice(self.close);
        Ok(())
    }
}

impl ser::SerializeSeq for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.element(value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeTuple for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.element(value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.element(value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.element(value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeMap for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.value(value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeStruct for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Level<'_, '_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}
