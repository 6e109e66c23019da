//! The integration tests: one binary, a module per subject.

mod server;

mod bare_service;
mod example;
mod isolation;
mod page_calls;
mod trust;
mod wire;
