//! Writing a value into an object: why it cannot be part of an event, and how an object that is written into another
//! hands its fault on.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::reader;
use super::serializer::{self, Fault};
use crate::event::timestamp::InvalidTimestamp;

/// The error of a value that an event cannot carry: which one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueFault {
    pub(crate) key: String,
    pub(crate) fault: ObjectFault,
}

impl fmt::Display for ValueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}", self.fault),
            key => write!(f, "{key}: {}", self.fault),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ObjectFault {
    #[error(transparent)]
    Value(Fault),
    #[error("{0}, and must be an object with keys")]
    NotAnObject(&'static str),
    /// Two values for one key, where neither was meant to replace the other.
    #[error("one value from a setter and another from extra")]
    Conflict,
    #[error(transparent)]
    Timestamp(InvalidTimestamp),
}

impl From<ObjectFault> for ValueFault {
    fn from(fault: ObjectFault) -> Self {
        Self { key: String::new(), fault }
    }
}

impl From<Fault> for ValueFault {
    fn from(fault: Fault) -> Self {
        ObjectFault::Value(fault).into()
    }
}

impl ValueFault {
    /// The fault as seen from an object that has the faulty one at `key`.
    pub(super) fn below(mut self, key: &str) -> Self {
        if self.key.is_empty() {
            key.clone_into(&mut self.key);
        } else if !key.is_empty() {
            self.key = format!("{key}.{}", self.key);
        }
        self
    }

    /// Why, without where.
    pub(super) fn into_fault(self) -> Fault {
        match self.fault {
            ObjectFault::Value(fault) => fault,
            other => Fault::Unserializable(other.to_string()),
        }
    }

    /// Whether the value at hand is too deep to be dropped; an object inside it has given up its own already.
    pub(super) fn forbids_drop(&self) -> bool {
        self.key.is_empty() && self.fault == ObjectFault::Value(Fault::TooDeep)
    }
}

thread_local! {
    /// The fault of an object that is being written into another one: serde has no room for it on the way up.
    static INNER: Cell<Option<Box<ValueFault>>> = const { Cell::new(None) };
}

/// Leaves `fault` where [`write`] finds it, and returns what was there. On a thread that is ending there is no such
/// place.
pub(super) fn exchange_inner(fault: Option<Box<ValueFault>>) -> Option<Box<ValueFault>> {
    INNER.try_with(|inner| inner.replace(fault)).unwrap_or_default()
}

/// Writes as [`serializer::append`] does, and also refuses a value that holds an object with a fault.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T, depth: usize) -> Result<(), ValueFault> {
    let start = out.len();
    // A `Serialize` of the value may itself fill objects: what is outside waits.
    let outside = exchange_inner(None);
    let written = serializer::append(out, value, depth);
    let inner = exchange_inner(outside);
    match (written, inner) {
        (_, Some(fault)) => {
            out.truncate(start);
            Err(*fault)
        }
        (written, None) => written.map_err(ValueFault::from),
    }
}

/// The value as `serde_json` has it.
pub(super) fn to_value<T: Serialize + ?Sized>(value: &T, depth: usize) -> Result<Value, ValueFault> {
    let mut json = Vec::new();
    write(&mut json, value, depth)?;
    reader::value(&json, depth)
}

/// The members of what serializes as an object, as text that is trusted (see [`raw_members`](super::raw_members)).
pub(super) fn members_of<T: Serialize>(object: &T) -> Result<Vec<u8>, ValueFault> {
    let mut json = Vec::new();
    write(&mut json, object, 0)?;
    match json.first() {
        Some(b'{') => {
            json.pop();
            json.remove(0);
            Ok(json)
        }
        Some(b'n') => Ok(Vec::new()),
        first => Err(ObjectFault::NotAnObject(kind_of(first)).into()),
    }
}

fn kind_of(first: Option<&u8>) -> &'static str {
    match first {
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    }
}
