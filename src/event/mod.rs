//! The event, its free-form sections, and the six typed calls that make one.
//!
//! An [`Event`] is what plugins see and edit. A call ([`Track`], [`Identify`], …) is an event with the setters that fit
//! it. A [`Message`] is the event in its final form, the JSON that every destination gets.
//!
//! Invariants: sections are JSON text until somebody needs a map ([`Object`]). An event that passed the check at the
//! call can be written as JSON without loss. The JSON engine in `json` knows nothing of events.

mod argument;
mod calls;
mod checkpoint;
mod content;
mod derived_uuid;
#[expect(clippy::module_inception, reason = "named as its type")]
mod event;
mod fields;
mod json;
mod kind;
mod limits;
mod message;
mod message_id;
mod packed;
mod pool;
mod sections;
mod slot;
mod spec;
mod timestamp;
mod unsent;
mod wire_format;

pub use argument::{
    IntoId, IntoIpAddr, IntoList, IntoPairs, IntoText, IntoTimestamp, Iterable, Optional, OptionalRef, Plain,
};
pub use calls::{Alias, Group, Identify, Page, Screen, Track};
pub(crate) use checkpoint::Checkpoint;
pub use derived_uuid::{message_uuid, part_uuid};
pub use event::Event;
pub use json::{Iter, JsonType, Keys, MAX_DEPTH, Object};
pub use kind::Kind;
pub(crate) use limits::check;
pub use limits::{InvalidField, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MAX_MESSAGE_ID_CHARS};
pub use message::Message;
pub(crate) use message_id::MessageId;
pub(crate) use packed::PackedEvent;
pub use sections::{Context, Integrations, Properties, Traits};
pub(crate) use slot::Slot;
pub use spec::{Address, Company, Product, b2b, context, ecommerce};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub(crate) use unsent::{Packed, PackedEvents};
pub use unsent::{Unsent, UnsentIter};
pub use wire_format::InvalidEvent;
