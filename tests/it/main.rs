//! The integration tests: one binary, a module per subject.

mod defaults;
mod examples;
mod modes;
mod order;
mod pages;
mod tracking_api;
