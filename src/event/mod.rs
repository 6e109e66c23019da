//! What flows: the event, its free-form sections, and the six typed calls that make one.
//!
//! An [`Event`] is what plugins see and edit. A call ([`Track`], [`Identify`], …) is an event with the setters that
//! fit it. A [`Message`] is the event in its final form, the JSON that every destination gets.
//!
//! Always: sections are JSON text until somebody needs a map ([`Object`]), and an event that passed
//! the check at the call can be written as JSON without loss. Nothing here knows of plugins, queues or the network.

mod body;
mod calls;
mod content;
mod fields;
mod incoming;
mod json;
mod kind;
mod limits;
mod loan;
mod message;
mod message_id;
mod number;
mod object;
mod outgoing;
mod quoted;
mod read;
mod record;
mod sections;
mod spare;
mod spec;
mod strict;
mod text;
mod timestamp;
mod unsent;

pub use body::Event;
pub use calls::{Alias, Group, Identify, Page, Screen, Track};
pub use json::InvalidEvent;
pub use kind::Kind;
pub(crate) use limits::check;
pub use limits::{InvalidField, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MAX_MESSAGE_ID_CHARS};
pub(crate) use loan::Loan;
pub use message::Message;
pub(crate) use message_id::MessageId;
pub use object::Object;
pub(crate) use record::Record;
pub use sections::{Context, Integrations, Properties, Traits};
pub use spec::{Address, Company, Product, b2b, context, ecommerce};
pub use strict::MAX_DEPTH;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub(crate) use unsent::{Packed, PackedRecords};
pub use unsent::{Unsent, UnsentIter};
