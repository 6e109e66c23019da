//! The log in streams of NATS JetStream, which several gateways share.
//!
//! ```text
//!  a pipeline's client ─▶ lane "jetstream" ─▶ spill ─▶ publisher ─▶ one stream for each partition ─▶ 200
//!                                               │          ▲
//!                                while the log takes nothing │ in their order, until none waits
//!                                               ▼          │
//!                                               a spool on this disk ─▶ 200
//! ```
//!
//! Invariant: an event is reported as delivered when a stream has acknowledged the message that it is in, or when it is
//! in a synced file on this disk. The events of a partition come into its stream in the order in which they were taken:
//! while one waits on the disk, those behind it wait there, too. A stream that is missing is never made but by
//! [`create_streams`].
//!
//! Files, in their order: `connect` connects, and `connection` knows whether the log can be trusted. `streams` checks and
//! makes streams. `partition` and `message` cut a batch into messages. `publisher` publishes them, and `spill` writes them to
//! the disk while that fails. `trouble` has the errors, and `operator` serves the commands of operators.

mod connect;
mod connection;
mod message;
mod operator;
mod partition;
mod publisher;
mod spill;
mod streams;
mod trouble;

pub(crate) use connection::JetStream;
pub(crate) use message::{DESTINATION_HEADER, DeadMessage, ParkedMessage};
pub(crate) use operator::{CONSUMER, ReleaseRequest};
pub use operator::{DeadEntry, JetStreamLog, OperatorError, ParkedLag, PartitionLag};
pub(crate) use spill::{NAME, destination};
pub use streams::CreatedStreams;
pub(crate) use streams::{Place, create_streams, park_stream, release_subject, stream_name, workers_subject};
pub use trouble::LogError;
