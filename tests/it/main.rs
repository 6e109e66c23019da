//! The integration tests: one binary, a module per subject.

mod defaults;
mod modes;
mod order;
mod pages;
mod tracking_api;
