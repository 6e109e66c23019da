//! What a test needs: a local tracking API, a recording destination and a manual clock.

mod clock;
mod tracking_api;

pub use clock::ManualClock;

pub use tracking_api::{Reply, Request, TrackingApi};
