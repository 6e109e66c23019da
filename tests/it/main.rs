//! The integration tests: one binary, a module per subject.

mod defaults;
mod modes;
mod order;
mod tracking_api;
