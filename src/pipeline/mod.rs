//! The way through: from the call to the end of every event.
//!
//! ```text
//!  caller              background
//!  ──────              ──────────────────────────────────────────────────────────────────────────
//!  call ─check─▶ intake ─▶ worker ─▶ [source middleware] ─▶ before ─▶ enrichment ─▶ fan-out ─▶ lane ─▶ service
//!                                                                                    (one per destination)
//!                                              ledger, callbacks, after plugins, signals ◀─ settle
//! ```
//!
//! Read the files in the order of the modules below. Invariant: an event that was accepted carries a ticket and ends in
//! one counted outcome; a plugin's panic, error or hang stays where it is called ([`supervise`](crate::supervise));
//! destinations share nothing but the finished event. The pipeline knows no destination by name, and nothing of HTTP.

mod call_context;
mod command;
mod deadline;
mod ending;
mod intake;
mod limits;
mod rest;
mod worker;

mod current;
mod plugin_set;
mod registry;
mod stack;

mod lane;
mod settle;

#[cfg(not(target_family = "wasm"))]
mod blocking;
mod by_hand;
mod client;
mod driven;
mod handle;
mod leftover;
#[cfg(test)]
mod measured;
mod service;
mod start;
#[cfg(test)]
mod wakes;

pub use by_hand::{Pipeline, PipelineFuture};
pub(crate) use call_context::CallContext;
pub(crate) use client::Client;
pub use client::CloseReport;
pub(crate) use deadline::{deadline, left};
pub(crate) use limits::Limits;
pub use service::PipelineService;
pub use stack::Stopped;
pub(crate) use stack::UserLayer;
pub(crate) use start::{Layers, Setup};
