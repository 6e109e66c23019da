//! Holds events to a tracking plan, as Segment's Protocols do: what is not planned passes, is flagged, is omitted, or
//! blocks the event.
//!
//! Invariants: a plan that cannot be read or used is an error of `build`, which names the file and the rule; an event that
//! passes is changed by `context.protocols`, which says what is wrong with it, and by what was omitted, and by nothing
//! else. No description says what a value was.
//!
//! In the order of the files: [`TrackingPlan`] holds the settings and makes the plugin, [`PlanSettings`] are the same as
//! data; a [`Policy`] says what is done, by kind of call. A [`Plan`] is read from one of the formats into rules; a rule
//! has a compiled schema, which finds each [`Violation`], and knows which members are planned. A check puts both together
//! for one event, and the [`Report`] counts what it found.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

// What is asked for.
mod error;
mod policy;
mod settings;
mod tracking_plan;

// What is planned.
mod format;
mod members;
mod plan;
mod rule;
mod schema;

// What is found.
mod check;
mod report;
mod violation;

pub use error::PlanError;
pub use plan::Plan;
pub use policy::{Action, Policy};
pub use report::{Report, Unplanned};
pub use settings::{PlanSettings, PolicySettings};
pub use tracking_plan::TrackingPlan;
pub use violation::{Violation, ViolationType};
