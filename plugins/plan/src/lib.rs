//! Checks events against a tracking plan, like Segment's Protocols: unplanned data passes, is flagged, is omitted, or
//! blocks the event.
//!
//! Invariants: a plan that cannot be read or used is an error of `build`, which names the file and the rule. An event
//! that passes is changed only by `context.protocols`, which describes its violations, and by the omitted members. No
//! description shows a value.
//!
//! In the order of the files: [`TrackingPlan`] holds the settings and makes the plugin. [`PlanSettings`] are the same
//! as data. A [`Policy`] sets the action, by kind of call. A [`Plan`] is read from one of the formats into rules. A
//! rule has a compiled schema, which finds each [`Violation`], and knows the planned members. A check applies both to
//! one event, and the [`Report`] counts its findings.
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

// The settings.
mod error;
mod policy;
mod settings;
mod tracking_plan;

// The plan.
mod format;
mod members;
mod plan;
mod rule;
mod schema;

// The findings.
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
