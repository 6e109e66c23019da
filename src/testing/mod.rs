//! What a test needs: a local tracking API, a recording destination and a manual clock. Behind the feature `testing`.
//!
//! The crate's own tests are made of it. Nothing here sleeps, and everything that waits has a bound.

mod clock;
mod recording;
mod tracking_api;

pub use clock::ManualClock;
pub use recording::RecordingDestination;
pub use tracking_api::{Reply, Request, TrackingApi};
