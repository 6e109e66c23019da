//! The integration tests: one binary, a module per subject.

mod defaults;
mod fuzzed;
mod modes;
mod object;
mod tracking_api;
