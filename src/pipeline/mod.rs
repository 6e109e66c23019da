//! The pipeline: an event's way from the call to its outcome.
//!
//! ```text
//!  caller              background
//!  ──────              ──────────────────────────────────────────────────────────────────────────
//!  call ─check─▶ intake ─▶ worker ─▶ [source middleware] ─▶ before ─▶ enrichment ─▶ fan-out ─▶ lane ─▶ service
//!                                                                                    (one per destination)
//!                                              ledger, callbacks, after plugins, signals ◀─ settle
//! ```
//!
//! Read the files in the order of the modules below.
//!
//! Invariants: an accepted event carries a ticket and ends in one counted outcome. A panic, an error or a hang of a
//! plugin stays where the plugin is called ([`supervise`](crate::supervise)). Destinations share nothing but the
//! finished event. The pipeline knows no destination by name, and nothing of HTTP.

mod intake;
mod worker;

mod registry;
mod stack;

mod lane;

mod after;

mod client;
mod direct;
mod limits;

pub use client::CloseReport;
pub(crate) use client::{Client, Layers, Setup, deadline, left};
pub use direct::{Pipeline, PipelineFuture};
pub(crate) use intake::CallContext;
pub(crate) use limits::Limits;
pub(crate) use stack::UserLayer;
pub use stack::{PipelineService, Stopped};
