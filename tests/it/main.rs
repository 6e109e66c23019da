//! The integration tests: one binary, a module per subject.

mod call_context;
mod tracking_api;
