//! The integration tests: one binary, a module per subject.

mod faults;
mod model;
mod support;
mod tracking_api;
