//! JSON objects that are text first: written once, and read as values only on demand.
//!
//! [`RawMembers`](raw_members::RawMembers) holds the members of an object as text. [`serializer`] writes any value as
//! such text and refuses what JSON cannot carry. [`reader`] reads text as values, exactly or not at all, and [`rewrite`]
//! rewrites text from elsewhere in this crate's spelling. [`Object`] puts them together. [`deserialize`] and
//! [`transcode`] convert from and to other formats of serde.
//!
//! Invariant: nothing here knows of events. Of the rest of the crate only `timestamp` is used, to write a time.

mod compound;
mod deserialize;
mod error;
mod members;
mod number;
mod object;
mod raw_members;
mod reader;
mod rewrite;
mod serializer;
mod string;
mod system_time;
mod transcode;

pub(super) use deserialize::Input;
pub use error::JsonType;
pub(super) use error::{Problem, ValueError};
pub(super) use object::drop_iteratively;
pub use object::{Iter, Keys, Object};
pub(super) use rewrite::{Found, Split, split};
pub use serializer::MAX_DEPTH;
pub(super) use string::{read_string, write_string, written_len};
pub(super) use transcode::Transcode;
