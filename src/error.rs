//! The errors that more than one part of the crate has.

/// An error of any type, as tower's middleware has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
