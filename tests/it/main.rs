//! The integration tests: one binary, a module per subject.

mod order;
mod tracking_api;
