//! The integration tests: one binary, a module per subject.

#[cfg(feature = "oauth")]
mod oauth;
mod tracking_api;
