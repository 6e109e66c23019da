//! Test doubles: a local tracking API, a recording destination and a manual clock. Behind the feature `testing`.
//!
//! The crate's own tests use them. Nothing here sleeps, and everything that waits has a bound.

mod dev_server;
mod expect;
mod plugin;
mod recording;
mod tracking_api;

pub use crate::clock::ManualClock;
pub use dev_server::DevServer;
pub use expect::{
    Difference, ExpectError, Expectation, InvalidExpectation, Judge, Matcher, Missing, Near, NotMet, Verdict,
};
pub use plugin::run_plugin;
pub use recording::RecordingDestination;
pub use tracking_api::{Reply, Request, TrackingApi};
