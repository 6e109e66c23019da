//! Takes events out of the log in JetStream and delivers them to the destinations.
//!
//! ```text
//!  a stream for each partition ─▶ partition: in the order of the stream ─▶ targets: a client for each destination
//!           ▲                                                                       │ each behind a gate
//!           └── acknowledged, twice ◀── every outcome is known: delivered, dropped on purpose, dead and stored, or
//!                                       parked: in a stream for the destination alone, which is read in the same way
//! ```
//!
//! Invariant: a message is acknowledged once every event in it has an outcome at every destination, what is dead is
//! in the stream of the dead, and what is parked is in that of the destination. One worker at a time has a partition:
//! JetStream pins its consumer to one client. A worker that is gone is replaced by another, which goes on from the first
//! message that is not acknowledged, in order.
//!
//! Files, in their order: `service` starts and stops a worker. `share` spreads the streams over the workers. `reader` reads
//! a stream, `reading` and `order` know what of it is under way, and `partition` what becomes of a message. `suspect` finds
//! a message that kills workers. `targets` hands events to destinations, each with a `gate`
//! that closes when it takes nothing. `pause` has the waits of a destination whose events are parked, and `release` ends
//! them when an operator says so. `dead` stores refused events, and `purge` deletes finished messages. `trouble` decides
//! which errors of a stream are logged. `admin` has the metrics.

mod admin;
mod dead;
mod gate;
mod order;
mod partition;
mod pause;
mod purge;
mod reader;
mod reading;
mod release;
mod service;
mod share;
mod suspect;
mod targets;
mod trouble;

pub use service::Worker;
