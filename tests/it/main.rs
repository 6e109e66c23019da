//! The integration tests: one binary, a module per subject.

mod faults;
mod model;
mod security;
mod support;
mod tracking_api;
