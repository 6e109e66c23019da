//! The integration tests: one binary, a module per subject.

mod defaults;
mod examples;
mod modes;
mod tracking_api;
