//! The integration tests: one binary, a module per subject.

mod call_context;
mod defaults;
mod examples;
mod modes;
mod tracking_api;
